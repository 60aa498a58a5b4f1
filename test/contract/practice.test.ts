// The contract, asked of the practice grid: what the real one was seen to do, the stand-in does as well. That of rules is asked in
// test/practice/rules.test.ts.

import { Agent } from 'node:https'
import { suite } from 'uvu'
import { userKeyPem, userPem } from '../../src/practice/certificates.ts'
import { type PracticeGrid, startPracticeGrid } from '../../src/practice/grid.ts'
import { authContract, certificateContract } from './auth.ts'
import { didContract } from './dids.ts'
import { facts, schemes, seed } from './practice-seed.ts'
import { replicaContract } from './replicas.ts'
import { guardedContract, storageContract } from './storage.ts'
import { type Subject, tokenOf } from './subject.ts'

const test = suite('the contract, of the practice grid')

let grid: PracticeGrid
let subject: Subject & { readonly readers: readonly Agent[] }

test.before(async () => {
  grid = await startPracticeGrid({ seed, schemes, rses: Object.keys(schemes) })
  await grid.setFaults('XRD1', { needsCertificate: true })
  const agent = new Agent({ ca: grid.caPem, keepAlive: true })
  const reader = new Agent({ ca: grid.caPem, cert: userPem, key: userKeyPem, keepAlive: true })
  const token = await tokenOf({ rucioUrl: grid.url, agent })
  subject = { rucioUrl: grid.url, agent, readers: [reader], facts, token }
})
test.after(async () => {
  for (const each of [subject.agent, ...subject.readers]) each.destroy()
  await grid.stop()
})

authContract(test, () => subject)
certificateContract(test, () => subject)
didContract(test, () => subject)
replicaContract(test, () => subject)
storageContract(test, () => subject)
guardedContract(test, () => subject)

test.run()
