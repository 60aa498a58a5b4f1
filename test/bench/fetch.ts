// How fast and how dear: one file of 1 GiB and 1,000 files of 1 MiB from one storage over loopback, by us and by the programs that
// people would use instead. Whole processes are measured, from the start to bytes on the disk whose checksum was verified.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesOf, sumOf } from '../contract/expect.ts'
import type { SeededFile } from '../contract/subject.ts'
import { pathOf, seeded, variable } from '../grid/seeded.ts'
import { type Cost, table } from './table.ts'

const rounds = Number(process.env['ROUNDS'] ?? 5)
const only = new RegExp(process.env['ONLY'] ?? '.')
const out = join(variable('GRID_DIR'), 'bench')
const lists = join(variable('GRID_DIR'), 'bench-lists')
const measure = 'test/bench/measure.py'

const ca = variable('CA_FILE')
const facts = seeded()

/** Sums up each file named, by zlib, a MiB at a time. */
const adlerPass = `
import sys, zlib
for name in sys.argv[1:]:
    with open(name, 'rb') as file:
        adler = 1
        while block := file.read(1 << 20):
            adler = zlib.adler32(block, adler)
    print(f'{adler:08x} {name}')
`

const names = ['user.jdoe.bench.1x1GB', 'user.jdoe.bench.1000x1MB']
for (const name of names.filter(each => new RegExp(process.env['DATASET'] ?? '.').test(each))) {
  const files = filesOf(facts, `user.jdoe:${name}`)
  const costs = new Map<string, Cost[]>()
  const failures = new Map<string, number>()
  const commands = [...commandsFor(name, files)].filter(([label]) => only.test(label))
  // In turn, so that whatever the machine does meanwhile meets all of them alike; the first round only warms up.
  for (let round = 0; round <= rounds; round++)
    for (const [label, command] of commands) {
      const cost = run(label, command, files)
      if (cost === undefined) failures.set(label, (failures.get(label) ?? 0) + 1)
      else if (round > 0) costs.set(label, [...(costs.get(label) ?? []), cost])
    }
  console.log(table(name, costs))
  for (const [label, times] of failures) console.log(`${label}: ${times} of ${rounds + 1} runs failed\n`)
}
rmSync(lists, { recursive: true, force: true })

type Command = { readonly argv: readonly string[]; readonly dataset?: string }

function commandsFor(name: string, files: readonly SeededFile[]): Map<string, Command> {
  mkdirSync(lists, { recursive: true })
  const https = (file: SeededFile): string =>
    `https://localhost:${variable('GRID_XRD2_HTTP')}/rucio/${pathOf(file)}`
  const root = (file: SeededFile): string =>
    `root://localhost:${variable('GRID_XRD2_PORT')}//rucio/${pathOf(file)}`
  const write = (kind: string, lines: readonly string[]): string => {
    const path = join(lists, `${name}.${kind}`)
    writeFileSync(path, `${lines.join('\n')}\n`)
    return path
  }
  const curl = write(
    'curl',
    files.flatMap(file => [`url = ${https(file)}`, 'remote-name']),
  )
  const aria = write(
    'aria2',
    files.flatMap(file => [https(file), `  checksum=adler32=${file.adler32}`]),
  )
  const xrdcp = write('xrdcp', files.map(root))
  const parallel = files.length > 1
  const curlCommand = `curl -sS --cacert ${ca} ${parallel ? '-Z --parallel-max 8' : ''} -K ${curl}`
  const commands = new Map<string, Command>()
  if (existsSync('dist/src/main.js'))
    commands.set('desktop-rucio', {
      argv: [process.execPath, 'bin/desktop-rucio', 'serve', '--port', '0', '--data', out],
      dataset: name,
    })
  // curl checks nothing, so a pass over what it wrote belongs to it. (xrdadler32 takes 0.14 s a file, of which little is summing.)
  commands.set('curl, then adler32', {
    argv: ['sh', '-c', `cd ${out} && ${curlCommand} && exec python3 -c "$0" * >/dev/null`, adlerPass],
  })
  commands.set('curl, unverified', { argv: ['sh', '-c', `cd ${out} && ${curlCommand}`] })
  const split = parallel ? ['-j16', '-x1', '-s1'] : ['-x4', '-s4', '-k64M']
  // Left alone, aria2c 1.36 asks for SHA digests, which XRootD 5.5.3 answers with 500: it would fetch nothing at all.
  if (has('aria2c'))
    commands.set('aria2c with checksum', {
      argv: [
        'aria2c',
        '-q',
        '--header',
        'Want-Digest:',
        `--ca-certificate=${ca}`,
        '--file-allocation=none',
        ...split,
        '-d',
        out,
        '-i',
        aria,
      ],
    })
  // Of a thousand files xrdcp asks for each checksum in turn, and XRootD takes seconds to say it: 66 files in 300 s.
  const checksum = parallel ? [] : ['--cksum', 'adler32:source']
  commands.set(parallel ? 'xrdcp, unverified' : 'xrdcp with checksum', {
    argv: ['xrdcp', '-s', '--nopbar', ...checksum, '-I', xrdcp, `${out}/`],
  })
  commands.set('rucio download, https', {
    argv: ['rucio', 'download', '--dir', out, '--protocol', 'https', '--rses', 'XRD2', `user.jdoe:${name}`],
  })
  return commands
}

/** One run into an empty directory. What lies there afterwards must be all the files with their sizes.
 *  @returns undefined for a run that failed; why is on stderr */
function run(label: string, command: Command, files: readonly SeededFile[]): Cost | undefined {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out)
  spawnSync('sync')
  const options = command.dataset === undefined ? [] : ['--dataset', command.dataset, '--data', out]
  const result = spawnSync('python3', [measure, ...options, '--', ...command.argv], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONWARNINGS: 'ignore' },
    maxBuffer: 2 ** 26,
  })
  const line = result.stdout.trim().split('\n').at(-1) ?? ''
  const cost = result.status === 0 ? (JSON.parse(line) as Cost & { readonly code: number }) : undefined
  if (cost?.code !== 0) {
    console.error(`${label} failed: ${line} ${result.stderr.slice(-500)}`)
    return undefined
  }
  const came = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.startsWith('bench.'))
    .map(entry => statSync(join(entry.parentPath, entry.name)).size)
  const bytes = came.reduce((sum, size) => sum + size, 0)
  rmSync(out, { recursive: true })
  if (came.length !== files.length || bytes !== sumOf(files)) {
    console.error(`${label} failed: it brought ${came.length} files, ${bytes} bytes`)
    return undefined
  }
  console.error(`${label}: ${line}`)
  return cost
}

function has(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0
}
