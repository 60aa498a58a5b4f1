// A practice grid for containers: writes rucio.cfg, the authority and the checksums that must come, and serves until it is ended.
// SIGUSR1 makes its storages slow, SIGUSR2 fast. Never outlives its standard input.

import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesOf, type SeedFile, startPracticeGrid } from '../../src/practice/grid.ts'

const [dir = ''] = process.argv.slice(2)
const scope = 'mc16_13TeV'
const slow = 300_000

function files(dataset: string, sizes: readonly number[]): SeedFile[] {
  return sizes.map((bytes, i) => ({
    scope,
    name: `${dataset}._${String(i + 1).padStart(6, '0')}.root`,
    bytes,
    checksums: ['adler32'],
    replicas: { SITE: 'good' },
  }))
}

const datasets = [
  { scope, name: `${scope}.first`, open: false, files: files('first', [3_000_000, 70_001, 1]) },
  {
    scope,
    name: `${scope}.long`,
    open: false,
    files: files('long', [90_000_000, 60_000_000, 40_000_000, 7_000_001, 12_345]),
  },
  { scope, name: `${scope}.other`, open: false, files: files('other', [2_000_000]) },
]
const grid = await startPracticeGrid({ seed: { datasets, containers: [] }, rses: ['SITE'] })
process.on('SIGUSR1', () => void grid.setFaults('SITE', { rate: slow, dropEvery: 9_000_000 }))
process.on('SIGUSR2', () => void grid.setFaults('SITE', { rate: 0, dropEvery: 0 }))

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
process.stdin.on('end', () => process.exit()).resume()
