// The rules of the house that a machine can see, as one pure function of the tree's texts. Never reads a file.

import { join, relative } from 'node:path/posix'

const rank: Readonly<Record<string, number>> = {
  words: 0,
  decide: 1,
  disk: 1,
  outside: 1,
  wishes: 2,
  catalogue: 2,
  credential: 2,
  transfer: 2,
  loop: 3,
  web: 3,
  practice: 3,
  doctor: 3,
  '.': 4,
}
const pureRooms = ['words', 'decide']
/** What a pure room may not know: the machine, the clock, chance. */
const impure =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.|\bprocess\.|\bset(Timeout|Interval|Immediate)\b|\bfetch\(/

/** Who touches files besides disk/, and what for. */
const mayUseFs: Readonly<Record<string, string>> = {
  'src/main.ts': 'the version in package.json',
  'src/environ.ts': 'its own environment, as the kernel shows it',
  'src/prompt.ts': 'the process group, as the kernel shows it',
  'src/options-given.ts': 'is the data directory there',
  'src/options-cfg.ts': 'rucio.cfg',
  'src/options-access.ts': 'API_TOKEN_FILE, and who else has processes here',
  'src/web/socket.ts': 'the Unix socket',
  'src/demo.ts': 'its own temporary directory',
  'src/credential/credential.ts': 'certificate and key',
  'src/credential/token.ts': 'bearer tokens',
  'src/credential/authorities.ts': 'certificates of authorities and their revocation lists',
  'src/credential/update.ts': 'a place for revocation lists',
  'src/options-authorities.ts': 'where revocation lists can be written',
  'src/credential/attempt.ts': 'the name of a proxy',
  'src/credential/maker.ts': 'the proxy that lies there, and what it depends on',
  'src/credential/password.ts': 'the file with the password',
  'src/credential/proxy-judge.ts': 'a proxy',
  'src/credential/proxy-place.ts': 'the directory of the proxy, and keys in /tmp',
  'src/options-grid.ts': 'is there a secret of the container',
  'src/doctor/certificates.ts': 'certificate, key, password, vomses',
  'src/outside/find.ts': 'where a program lies',
  'src/outside/leftovers.ts': 'the environment of processes, in /proc',
  'src/transfer/xrdcp-env.ts': 'a token or address for xrdcp, outside DATA',
  'src/transfer/rucio-home.ts': 'configuration and token for the official client, outside DATA',
  'src/catalogue/token-file.ts': 'a token of Rucio, outside the data directory',
  'src/catalogue/ssh-key.ts': 'a key for SSH',
}
/** Who asks the machine for the time besides main.ts, and why its World will not do. */
const mayTellTime: Readonly<Record<string, string>> = {
  'src/main.ts': 'builds the World',
  'src/demo.ts': 'a program of its own',
  'src/outside/serverClock.ts': 'compared with the Date of a server',
  'src/disk/lock.ts': 'compared with an mtime that the disk gave',
  'src/disk/twin.ts': 'compared with an mtime that the disk gave',
}
const mayStartPrograms = ['src/outside/program.ts', 'src/demo-daemon.ts']
const mostLines = 350

/** @param files path from the top of the tree -> text, of src/ and test/
 *  @param packages that `npm install` of a user brings: "dependencies" of package.json
 *  @returns one line for each breach, with its file */
export function breaches(files: ReadonlyMap<string, string>, packages: readonly string[]): string[] {
  const found: string[] = []
  for (const [path, text] of files) {
    const code = withoutComments(text)
    const rules = path.startsWith('src/') ? inSource(path, text, code, packages) : inTests(path, code)
    for (const what of [...rules, ...everywhere(path, code)]) found.push(`${path}: ${what}`)
  }
  return found
}

/** @param docs path -> text of Markdown
 *  @param isThere of a path from the top of the tree
 *  @returns one line for each link that leads to no file */
export function brokenLinks(docs: ReadonlyMap<string, string>, isThere: (path: string) => boolean): string[] {
  return [...docs].flatMap(([path, text]) =>
    [...text.matchAll(/\]\(([^()\s#]+)[^()]*\)/g)]
      .map(([, target = '']) => target)
      .filter(target => !/^[a-z]+:/.test(target) && !isThere(join(path, '..', target)))
      .map(target => `${path}: the link to ${target} leads to nothing`),
  )
}

function* inSource(path: string, text: string, code: string, packages: readonly string[]): Generator<string> {
  const here = room(path)
  if (rank[here] === undefined) yield `${here}/ is no room: give it a rank`
  for (const target of importsOf(code)) {
    if (!target.startsWith('.')) {
      const name = /^(?:@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? ''
      if (!target.startsWith('node:') && !packages.includes(name)) yield `${name} is no dependency of ours`
      continue
    }
    const there = room(join(path, '..', target))
    const lower = (rank[there] ?? 9) < (rank[here] ?? -1)
    // The practice grid stands for the outside world: of ours it may know the words alone.
    const allowed = here === there || (here === 'practice' ? there === 'words' : lower)
    if (!allowed) yield `${here} may not import from ${there} (${target})`
  }
  const pure =
    importsOf(code).every(each => each.startsWith('.') || each === 'node:crypto') && !impure.test(code)
  if (pureRooms.includes(here) && !pure)
    yield `${here}/ is pure: no package, no node: (save crypto), clock, chance or process`
  if (/['"]node:fs(\/promises)?['"]/.test(code) && here !== 'disk' && mayUseFs[path] === undefined)
    yield 'only disk/ touches files (else name it in house-rules.ts, with the reason)'
  if (/\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b/.test(code) && here !== 'practice')
    if (mayTellTime[path] === undefined) yield 'clock and chance come from the World'
  if (/['"](node:child_process|execa)['"]/.test(code) && !mayStartPrograms.includes(path))
    yield 'programs are started by outside/program.ts'
  if (!path.endsWith('.d.ts') && !/^(\/\/|\/\*\*) ?\S/.test(text))
    yield 'the first line says what the file does, and what it never does'
  const lines = text.split('\n').length - 1
  if (lines > mostLines) yield `${lines} lines: a file has one subject, and at most ${mostLines}`
}

function* inTests(path: string, code: string): Generator<string> {
  const isRun = /\.(test|crash|grid)\.ts$/.test(path)
  const suites = [...code.matchAll(/^\s*(?:const|let) (\w+)(?:: [^=]+)? = suite(?:<[^>]*>)?\(/gm)]
  if (isRun && !/\.run\(\)/.test(code)) yield 'no test.run(), so nothing in it runs'
  for (const [, name = ''] of suites)
    if (!code.includes(`${name}.run()`) && isRun) yield `no ${name}.run(), so that suite does not run`
    else if (!isRun) yield `its suite ${name} never runs: name the file *.test.ts, *.crash.ts or *.grid.ts`
  if (isRun && /\.only\(/.test(code)) yield 'only() leaves the other tests out'
  for (const target of importsOf(code))
    if (isRun && /\.(test|crash|grid)\.ts$/.test(target))
      yield `imports the tests of ${target}, which run twice`
}

function* everywhere(path: string, code: string): Generator<string> {
  // The name of the option, put together so that this file does not find itself.
  if (
    new RegExp(`\\b${'she'}ll: *(true|['"])|\\b(exec|execSync)\\(|\\bexeca(Command|Sync)\\b`).test(
      withoutMethods(code),
    )
  )
    yield 'no shell, ever: a program and its arguments'
  if (/\brecursive: true\b/.test(code) && /\bmkdir(Sync)?\(/.test(code) && path.startsWith('src/disk/'))
    yield 'no mkdir in the data directory is recursive: a disk that is not mounted must not be filled'
}

/** `pattern.exec(text)` starts nothing. */
function withoutMethods(code: string): string {
  return code.replace(/\.exec\(/g, '')
}

function importsOf(code: string): string[] {
  const imports = /(?:^(?:import|export)\b[^'"]*?\bfrom |^import |\bimport\()['"]([^'"\n]+)['"]/gm
  return [...code.matchAll(imports)].map(([, target = '']) => target)
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

/** The folder below src/ that a path lies in; '.' for src/main.ts and its neighbours. */
function room(path: string): string {
  const parts = relative('src', path).split('/')
  return parts.length > 1 ? (parts[0] ?? '.') : '.'
}
