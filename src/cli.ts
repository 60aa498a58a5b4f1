// Which command, and the short ones: they write wishes and read the disk, like any user. Never talks to the network itself.

import { resolve } from 'node:path'
import { askPassword, password } from './cli-password.ts'
import { verifyFolder } from './cli-verify.ts'
import { layout, type Root } from './disk/layout.ts'
import { makeDir } from './disk/put.ts'
import { closeRoot, NotOurs, openRoot } from './disk/root.ts'
import { knownNames, wordOf } from './disk/word.ts'
import { readLoginOptions, readOptions } from './options.ts'
import { usage } from './usage.ts'
import { openAccept } from './wishes/accept.ts'
import { parseDid, printDid } from './words/did.ts'
import type { Env } from './words/env.ts'
import { isComponent, nameOf } from './words/names.ts'
import { clean, sentence, Trouble } from './words/reason.ts'
import type { World } from './words/world.ts'

export type Place = { readonly world: World; readonly version: string; readonly signal: AbortSignal }

/** Runs one command line. @returns the exit code: 2 for a command line or configuration that cannot be taken */
export async function command(argv: readonly string[], env: Env, place: Place): Promise<number> {
  const [first = '', ...rest] = argv
  // What stands behind `--` is a name, whatever it looks like.
  const options = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined)
  if (first === '' || first === 'help' || options.includes('--help') || options.includes('-h')) {
    say(usage(place.version))
    return first === '' ? 2 : 0
  }
  if (first === '--version' || first === 'version') {
    say(place.version)
    return 0
  }
  switch (first) {
    case 'serve':
      return await runServe(rest, env, place)
    case 'add':
    case 'remove':
      return await withData(rest, env, place, {
        make: first === 'add',
        run: (root, dids) => wish(first, root, dids, place),
      })
    case 'list':
      return await withData(rest, env, place, {
        make: false,
        run: (root, words) => list(root, words, place),
      })
    case 'doctor':
      return await runDoctor(rest, env, place)
    case 'login':
      return await runLogin(rest, env, place)
    case 'password':
      return await withData(rest, env, place, {
        make: false,
        run: root => password(root, place.world, { say, complain }, place.signal),
      })
    case 'verify':
      return await verify(rest, env, place)
    default:
      complain(`there is no command ${JSON.stringify(first)}; desktop-rucio --help lists them`)
      return 2
  }
}

async function runServe(argv: readonly string[], env: Env, place: Place): Promise<number> {
  const options = await readOptions(argv, env)
  if ('message' in options) {
    complain(options.message)
    return 2
  }
  const { maker: asked } = options
  const maker = asked === undefined ? undefined : await askPassword(asked, { complain }, place.signal)
  if (typeof maker === 'number') return maker
  const { serve } = await import('./serve.ts')
  return await serve(maker === undefined ? options : { ...options, maker }, {
    ...place,
    streams: { say, complain },
  })
}

async function runDoctor(argv: readonly string[], env: Env, place: Place): Promise<number> {
  const options = await readOptions(argv, env)
  const doctor = await import('./doctor.ts')
  return await doctor.runDoctor(options, env, { ...place, say })
}

async function runLogin(argv: readonly string[], env: Env, place: Place): Promise<number> {
  const { logInOnce } = await import('./login.ts')
  const code = await logInOnce(await readLoginOptions(argv, env), {
    ...place,
    say,
    complain,
    input: process.stdin,
  })
  // A terminal that was read keeps the process.
  process.stdin.unref?.()
  return code
}

type OnData = {
  /** may an empty directory become a data directory by it? */
  readonly make: boolean
  readonly run: (root: Root, words: readonly string[]) => Promise<number>
}

/** `[--data DIR] WORD…` for the commands that need a data directory and no server. */
async function withData(
  argv: readonly string[],
  env: Env,
  place: Place,
  { make, run }: OnData,
): Promise<number> {
  const { dir, words, message } = splitData(argv, env)
  if (message !== undefined) {
    complain(message)
    return 2
  }
  if (dir === undefined) {
    complain('say where the data directory is: --data DIR, or DESKTOP_RUCIO_DATA')
    return 2
  }
  try {
    const { root, made } = await openRoot({ dir: resolve(dir), fenced: false, world: place.world, make })
    if (made) complain(`made ${root.dir} a data directory with the id ${root.id}`)
    try {
      return await run(root, words)
    } finally {
      await closeRoot(root)
    }
  } catch (error) {
    if (!(error instanceof NotOurs) && !(error instanceof Trouble)) throw error
    complain(error instanceof Trouble ? sentence(error.reason, error.detail) : error.message)
    return 2
  }
}

function splitData(
  argv: readonly string[],
  env: Env,
): { readonly dir?: string; readonly words: readonly string[]; readonly message?: string } {
  const words: string[] = []
  let dir = env['DESKTOP_RUCIO_DATA']
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? ''
    if (word === '--') {
      words.push(...argv.slice(i + 1))
      break
    }
    if (word === '--data') dir = argv[++i]
    else if (word.startsWith('--data=')) dir = word.slice('--data='.length)
    else if (word.startsWith('-') && word !== '-')
      return {
        words,
        message: `there is no option ${word} here; see --help (a name that begins so stands after --)`,
      }
    else words.push(word)
  }
  return { ...(dir === undefined || dir === '' ? {} : { dir }), words }
}

async function wish(
  what: 'add' | 'remove',
  root: Root,
  words: readonly string[],
  place: Place,
): Promise<number> {
  if (words.length === 0) {
    complain(`${what} takes one or more names, like scope:name`)
    return 2
  }
  // No daemon may have been here yet.
  await makeDir(layout.requests(root), root)
  const accept = openAccept(root, place.world, () => {})
  let code = 0
  for (const word of words) {
    const did = parseDid(word)
    if (did instanceof Trouble) {
      complain(sentence(did.reason, did.detail))
      code = 2
      continue
    }
    const accepted = what === 'add' ? await accept.want(did) : await accept.remove(did)
    if (accepted.kind === 'answer') say(`${printDid(did)} ${accepted.word}`)
    else {
      complain(
        accepted.kind === 'queue_full'
          ? 'too many requests wait already; try again when some are done'
          : `${accepted.by} is here and differs from ${printDid(did)} by letter case only, or has its name`,
      )
      code = 1
    }
  }
  return code
}

async function list(root: Root, words: readonly string[], place: Place): Promise<number> {
  if (words.length > 0) {
    complain(`list takes no names, and ${JSON.stringify(words[0])} is one; it shows all that is here`)
    return 2
  }
  const all = [...(await knownNames(root))].sort()
  for (const name of all) say(`${(await wordOf(root, name, place.world.now())).word.padEnd(15)} ${name}`)
  if (all.length === 0) say('nothing is here yet; desktop-rucio add NAME asks for a dataset')
  return 0
}

/** Reads every byte of a dataset and compares it with its listing; needs no server, no daemon, no data directory around it. */
async function verify(argv: readonly string[], env: Env, place: Place): Promise<number> {
  const { dir, words, message } = splitData(argv, env)
  if (message !== undefined || words.length === 0) {
    complain(message ?? 'verify takes dataset folders, or names with --data DIR')
    return 2
  }
  let code = 0
  for (const word of words) {
    const name = dir === undefined ? undefined : nameIn(word)
    const folder = dir === undefined || name === undefined ? resolve(word) : resolve(dir, name)
    code = Math.max(code, await verifyFolder(folder, { say, complain }, place.signal))
  }
  return code
}

/** A NAME as `list` shows it, or the NAME of a DID; undefined for what is neither. */
function nameIn(word: string): string | undefined {
  if (isComponent(word)) return word
  const did = parseDid(word)
  return did instanceof Trouble ? undefined : nameOf(did)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function complain(line: string): void {
  // What was typed stands in some of them.
  process.stderr.write(`desktop-rucio: ${clean(line, 1000)}\n`)
}
