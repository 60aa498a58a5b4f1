// A practice grid for containers: writes rucio.cfg, the authority and the checksums that must come into DIR, and serves until its standard
// input ends. Orders are lines of it: slow, fast, open DATA, sent, kept, close (obey()); the answer to each is the file DIR/answer.

import { createHash } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { bytesOf, type PracticeGrid, type SeedFile, startPracticeGrid } from '../../src/practice/grid.ts'
import { type Ledger, openLedger } from '../crash/ledger.ts'

const [dir = ''] = process.argv.slice(2)
const scope = 'mc16_13TeV'
const slow = 500_000

function files(of: string, dataset: string, sizes: readonly number[]): SeedFile[] {
  return sizes.map((bytes, i) => ({
    scope: of,
    name: `${dataset}._${String(i + 1).padStart(6, '0')}.root`,
    bytes,
    checksums: ['adler32'],
    replicas: { SITE: 'good' },
  }))
}

const datasets = [
  { scope, name: `${scope}.first`, open: false, files: files(scope, 'first', [3_000_000, 70_001, 1]) },
  {
    scope,
    name: `${scope}.long`,
    open: false,
    files: files(scope, 'long', [120_000_000, 80_000_000, 60_000_000, 7_000_001, 12_345]),
  },
  { scope, name: `${scope}.other`, open: false, files: files(scope, 'other', [2_000_000]) },
  // The one that the pages ask for.
  {
    scope: 'user.jdoe',
    name: 'user.jdoe.sample.v1',
    open: false,
    files: files('user.jdoe', 'sample', [1_000_000, 12_345]),
  },
]
const grid = await startPracticeGrid({ seed: { datasets, containers: [] }, rses: ['SITE'] })

await mkdir(join(dir, 'certs'), { recursive: true })
await writeFile(join(dir, 'certs', 'practice-ca.pem'), grid.caPem)
// With the line ends of Windows, as users have it.
await writeFile(
  join(dir, 'certs', 'rucio.cfg'),
  [
    '[client]',
    `rucio_host = ${grid.url}`,
    `auth_host = ${grid.url}`,
    'ca_cert = /certs/practice-ca.pem',
    'auth_type = userpass',
    'account = jdoe',
    'username = jdoe',
    'password = jdoe-secret',
    '',
  ].join('\r\n'),
)
for (const { name, files: all } of datasets) {
  const lines = all.map(file => {
    const sum = createHash('sha256')
      .update(bytesOf(file, 0, file.bytes))
      .digest('hex')
    return `${sum}  ${name}/${file.name}\n`
  })
  await writeFile(join(dir, `${name}.sha256`), lines.join(''))
}
await writeFile(join(dir, 'ports'), `${new URL(grid.url).port} ${grid.rse('SITE').split(':')[1]}\n`)
void orders(grid)

async function orders(grid: PracticeGrid): Promise<void> {
  let ledger: Ledger | undefined
  for await (const line of createInterface({ input: process.stdin })) {
    const [order = '', argument = ''] = line.split(' ')
    if (order === 'open') {
      ledger = ledgerOf(argument)
      grid.forgetSent()
    }
    const text = await obey(grid, order, ledger)
    await writeFile(join(dir, 'answer.new'), `${text}\n`)
    await rename(join(dir, 'answer.new'), join(dir, 'answer'))
  }
  process.exit()
}

/** slow and fast: its storages. sent: how many bytes they sent since open or close. kept: how many bytes lie synced in DATA now. close: the daemon has died; what it fetched though it lay
 *  there already is a fault. */
async function obey(grid: PracticeGrid, order: string, ledger: Ledger | undefined): Promise<string> {
  switch (order) {
    case 'open':
      return 'opened'
    case 'slow':
      await grid.setFaults('SITE', { rate: slow, dropEvery: 9_000_000 })
      return 'slow'
    case 'fast':
      await grid.setFaults('SITE', { rate: 0, dropEvery: 0 })
      return 'fast'
    case 'sent':
      return String(grid.sent().reduce((sum, { from, to }) => sum + to - from, 0))
    case 'kept':
      return String(bytesIn((await ledger?.read()) ?? new Map()))
    case 'close': {
      const sent = grid.sent()
      const faults = (await ledger?.close(sent)) ?? ['no ledger is open']
      grid.forgetSent()
      const bytes = sent.reduce((sum, { from, to }) => sum + to - from, 0)
      const kept = bytesIn((await ledger?.read()) ?? new Map())
      return [`kept ${kept} bytes, ${bytes} sent`, ...faults.map(each => `fault: ${each}`)].join('\n')
    }
    default:
      return `fault: there is no order ${order}`
  }
}

function ledgerOf(data: string): Ledger {
  const all = datasets.map(({ scope, name, files }) => ({
    did: `${scope}:${name}`,
    name,
    exists: true,
    files: new Map(
      files.map(file => [
        file.name,
        {
          did: `${file.scope}:${file.name}`,
          path: file.name,
          bytes: file.bytes,
          adler32: '',
          hasCorrupt: false,
        },
      ]),
    ),
  }))
  return openLedger(data, { all, ends: () => new Set(), harm: new Map(), disturbed: new Set() }, true)
}

function bytesIn(
  spans: ReadonlyMap<string, { readonly spans: readonly { readonly from: number; readonly to: number }[] }>,
): number {
  let sum = 0
  for (const file of spans.values()) for (const { from, to } of file.spans) sum += to - from
  return sum
}
