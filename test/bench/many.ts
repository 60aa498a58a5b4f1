// 10,000 whole datasets: how long GET /datasets and GET /status take, the first time and again, and what memory that needs. The daemon is
// the process that users have; what it would fetch from is not there.

import { rmSync } from 'node:fs'
import { startDaemon } from '../help/daemon.ts'
import { sweep } from '../help/data.ts'
import { didOf, openData, putWhole } from '../help/dataset.ts'
import { ask, idle, phase, type Row, report } from './big-phase.ts'

const datasets = Number(process.env['MANY_DATASETS'] ?? 10_000)
const root = await openData()
// An end by a signal leaves neither daemon nor data behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    rmSync(root.dir, { recursive: true, force: true })
    process.exit(130)
  })
for (let from = 0; from < datasets; from += 50)
  await Promise.all(
    Array.from({ length: Math.min(50, datasets - from) }, (_, i) =>
      putWhole(root, didOf(`user.jdoe:user.jdoe.many.${from + i}`), 1),
    ),
  )
const daemon = startDaemon({
  data: root.dir,
  env: {
    RUCIO_CLIENT_RUCIO_HOST: 'http://127.0.0.1:9',
    RUCIO_AUTH_TYPE: 'userpass',
    RUCIO_ACCOUNT: 'jdoe',
    RUCIO_CLIENT_USERNAME: 'jdoe',
    RUCIO_CLIENT_PASSWORD: 'none',
  },
})
const rows: Row[] = []
try {
  const url = await daemon.ready
  const step = async (label: string, work: () => Promise<unknown>): Promise<void> => {
    rows.push(await phase(label, { daemon, url }, async () => void (await work())))
  }
  const all = async (): Promise<void> => {
    const { datasets: found } = (await ask(url, 'GET', '/datasets')) as { readonly datasets: unknown[] }
    if (found.length !== datasets) throw new Error(`${found.length} datasets`)
  }
  await step('start, audit, at rest', () => idle(daemon.pid))
  await step('GET /datasets', all)
  await step('GET /datasets at once after it', all)
  await new Promise(resolve => setTimeout(resolve, 5000))
  await step('GET /datasets 5 s later', all)
  console.log(report(`many: ${datasets} datasets`, rows).text)
} finally {
  await daemon.end()
  rmSync(root.dir, { recursive: true, force: true })
  await sweep()
}
