// The contract, asked of the real Rucio server and the real storages. Needs the environment that test/grid/run.sh sets.

import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { suite } from 'uvu'
import { gridAgent, seeded, variable } from '../grid/seeded.ts'
import { authContract, certificateContract, strangerContract } from './auth.ts'
import { didContract } from './dids.ts'
import { replicaContract } from './replicas.ts'
import { ruleContract } from './rules.ts'
import { guardedContract, storageContract } from './storage.ts'
import { type Subject, tokenOf } from './subject.ts'

const test = suite('the contract, of the real grid')

const ca = readFileSync(variable('CA_FILE'), 'utf8')
const certs = `${variable('GRID_DIR')}/certs`
const agent = gridAgent()
const readers = [
  withPair(readFileSync(variable('X509_USER_PROXY'), 'utf8')),
  withPair(
    readFileSync(`${certs}/usercert.pem`, 'utf8') + readFileSync(`${certs}/userkey-plain.pem`, 'utf8'),
  ),
]
const stranger = withPair(readFileSync(variable('STRANGER_PROXY'), 'utf8'))
const rucioUrl = variable('RUCIO_URL')
let subject: Subject & { readonly readers: readonly Agent[]; readonly stranger: Agent }

test.before(async () => {
  subject = { rucioUrl, agent, readers, stranger, facts: seeded(), token: await tokenOf({ rucioUrl, agent }) }
})
test.after(() => {
  for (const each of [agent, stranger, ...readers]) each.destroy()
})

authContract(test, () => subject)
certificateContract(test, () => subject)
strangerContract(test, () => subject)
didContract(test, () => subject)
replicaContract(test, () => subject)
ruleContract(test, () => subject)
storageContract(test, () => subject)
guardedContract(test, () => subject)

test.run()

/** A proxy's file holds the proxy, its key, then the certificate that signed it; this order is the chain. */
function withPair(pem: string): Agent {
  const cert = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g)?.join('\n') ?? ''
  const key =
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----/.exec(pem)?.[0] ?? ''
  return new Agent({ ca, cert, key, keepAlive: true })
}
