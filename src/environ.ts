// Secrets of our own environment, taken out of it: out of process.env, and out of what the kernel shows of it. Never keeps one.
//
// Linux shows the environment that a program was started with, as it lies in that program's memory, in /proc/PID/environ: to root, to the
// same user, and to whoever reads it out of a backup of a process list. unsetenv() alone leaves the text there.

import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'

/** What is a secret by itself, and not the name of a file that holds one. */
export const secretNames = [
  'GRID_PASSWORD',
  'RUCIO_CLIENT_PASSWORD',
  'RUCIO_CFG_CLIENT_PASSWORD',
  'BEARER_TOKEN',
  'API_TOKEN',
] as const

/** Takes them out, for children and lookers-on alike. Called once, before anything else runs.
 *  @returns the environment as it was given, for whoever reads the options; and a sentence where the kernel shows a secret still */
export function takeSecrets(): {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly trouble: string | undefined
} {
  const env = { ...process.env }
  const given = secretNames.filter(name => (env[name] ?? '') !== '')
  for (const name of given) delete process.env[name]
  if (given.length === 0 || process.platform !== 'linux') return { env, trouble: undefined }
  try {
    blot(given)
    return { env, trouble: undefined }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return {
      env,
      trouble: `${given.join(', ')} could not be taken out of /proc/${process.pid}/environ, where root and this user may read it (${why}); name a file instead (GRID_PASSWORD_FILE, API_TOKEN_FILE)`,
    }
  }
}

type Span = { readonly from: number; readonly text: Buffer }

/** Writes stars over the values, where the kernel reads them: in our own memory, between mm->env_start and env_end (proc(5)). */
function blot(names: readonly string[]): void {
  const start = envStart()
  const mem = openSync('/proc/self/mem', 'r+')
  try {
    for (const { from, text } of valuesOf(names)) {
      const there = Buffer.alloc(text.length)
      readSync(mem, there, 0, text.length, start + from)
      // Nothing is overwritten that is not what it is taken for.
      if (!there.equals(text)) throw new Error('it is not where it should be')
      writeSync(mem, Buffer.alloc(text.length, '*'), 0, text.length, start + from)
    }
  } finally {
    closeSync(mem)
  }
  if (valuesOf(names).some(({ text }) => text.some(byte => byte !== 0x2a)))
    throw new Error('it could not be written over')
}

/** Where the values stand in /proc/self/environ. */
function valuesOf(names: readonly string[]): Span[] {
  const environ = readFileSync('/proc/self/environ')
  const found: Span[] = []
  for (let from = 0; from < environ.length; ) {
    const at = environ.indexOf(0, from)
    const end = at === -1 ? environ.length : at
    const entry = environ.subarray(from, end)
    const equals = entry.indexOf('=')
    if (equals > 0 && names.includes(entry.subarray(0, equals).toString('latin1')))
      found.push({ from: from + equals + 1, text: entry.subarray(equals + 1) })
    from = end + 1
  }
  return found
}

/** Field 50 of /proc/self/stat, counted behind the name, which may hold spaces and brackets itself. */
function envStart(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const start = Number(fields[47])
  if (!Number.isSafeInteger(start) || start <= 0) throw new Error('the kernel does not say where it lies')
  return start
}
