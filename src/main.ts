// The entry: which command, signals, exit code. The only file that builds the World.

import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { takeSecrets } from './environ.ts'
import { sentence, toTrouble } from './words/reason.ts'
import type { World } from './words/world.ts'

// What Node takes for memory to spare on a machine with much of it is the user's: a dataset of 200,000 small files grew to 480 MB of
// garbage over 100 MB that were in use, and to 250 MB with this.
setFlagsFromString('--heap-growing-percent=40')

const { env, trouble } = takeSecrets()
if (trouble !== undefined) process.stderr.write(`desktop-rucio: ${trouble}\n`)
const world: World = { now: () => Date.now(), chance: () => randomInt(2 ** 32) / 2 ** 32 }
const ending = new AbortController()
for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.on(name, () => {
    // A second Ctrl-C means now.
    if (ending.signal.aborted) process.exit(130)
    ending.abort()
  })

const packageText = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
const { version } = JSON.parse(packageText) as { version: string }
const { command } = await import('./cli.ts')
try {
  process.exitCode = await command(process.argv.slice(2), env, {
    world,
    version,
    signal: ending.signal,
  })
} catch (error) {
  const { reason, detail } = toTrouble(error)
  process.stderr.write(`desktop-rucio: ${sentence(reason, detail)}\n`)
  if (reason === 'bug' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  process.exitCode = 1
}
// What keeps the process (a kept-alive socket) has nothing left to do.
setTimeout(() => process.exit(), 500).unref()
