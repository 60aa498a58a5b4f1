// A web server in a thread with little memory, for answer.test.ts: an answer that is held as one string ends the thread.

import { parentPort, workerData } from 'node:worker_threads'
import { openRoot } from '../../src/disk/root.ts'
import { world } from '../help/data.ts'
import { openBench } from '../help/site.ts'

const { root } = await openRoot({ dir: workerData as string, fenced: false, world })
const bench = await openBench(root)
parentPort?.once('message', () => void bench.web.close())
parentPort?.postMessage(bench.port)
