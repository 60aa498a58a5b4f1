import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { breaches, brokenLinks } from './house-rules.ts'

const test = suite('rules of the house')

const header = '// Does this. Never does that.\n'
const source = (path: string, text: string): readonly [string, string] => [path, header + text]
const run = "const test = suite('x')\ntest.run()\n"

const passes: readonly (readonly [path: string, text: string])[] = [
  source('src/disk/x.ts', "import { open } from 'node:fs/promises'\nimport { a } from '../words/a.ts'\n"),
  source('src/words/x.ts', "import { createHash } from 'node:crypto'\n// Date.now() is for others\n"),
  source('src/loop/x.ts', "import { watch } from 'chokidar'\nconst found = /a/.exec(text)\n"),
  source('src/practice/x.ts', "import { a } from '../words/a.ts'\nMath.random()\n"),
  source('src/options-given.ts', "import { readFile } from 'node:fs/promises'\n"),
  ['src/words/wasm.d.ts', 'declare const x: number\n'],
  ['test/disk/x.test.ts', run],
  ['test/crash/x.crash.ts', `import { go } from './run.ts'\n${run}`],
  ['test/help/x.ts', "import { existsSync } from 'node:fs'\nmkdir(dir, { recursive: true })\n"],
]
for (const [path, text] of passes)
  test(`${path} passes: ${text.replace(header, '').split('\n')[0]}`, () =>
    assert.equal(breaches(new Map([[path, text]]), ['chokidar']), []))

const fails: readonly (readonly [because: string, path: string, text: string])[] = [
  ['may not import', ...source('src/words/x.ts', "import { a } from '../disk/a.ts'\n")],
  ['may not import', ...source('src/disk/x.ts', "import { a } from '../decide/a.ts'\n")],
  ['may not import', ...source('src/web/x.ts', "import { a } from '../loop/a.ts'\n")],
  ['may not import', ...source('src/practice/x.ts', "import { a } from '../disk/a.ts'\n")],
  ['may not import', ...source('src/loop/x.ts', "import { a } from '../../test/help/a.ts'\n")],
  ['may not import', ...source('src/disk/x.ts', "const { a } = await import('../loop/a.ts')\n")],
  ['may not import', ...source('src/disk/x.ts', "export { a } from '../web/a.ts'\n")],
  ['is no room', ...source('src/extra/x.ts', '\n')],
  ['no dependency', ...source('src/loop/x.ts', "import fc from 'fast-check'\n")],
  ['is pure', ...source('src/words/x.ts', "import { join } from 'node:path'\n")],
  ['is pure', ...source('src/decide/x.ts', 'const now = Date.now()\n')],
  ['is pure', ...source('src/decide/x.ts', 'setTimeout(go, 5)\n')],
  ['is pure', ...source('src/decide/x.ts', "import { watch } from 'chokidar'\n")],
  ['touches files', ...source('src/web/x.ts', "import { readFile } from 'node:fs/promises'\n")],
  ['touches files', ...source('src/wishes/x.ts', "const fs = await import('node:fs')\n")],
  ['from the World', ...source('src/loop/x.ts', 'const at = Date.now()\n')],
  ['programs', ...source('src/transfer/x.ts', "import { spawn } from 'node:child_process'\n")],
  ['first line', 'src/web/x.ts', 'export const x = 1\n'],
  ['at most', ...source('src/web/x.ts', 'x\n'.repeat(350))],
  ['no shell', ...source('src/outside/program.ts', "spawn('ls', { shell: true })\n")],
  ['no shell', 'test/help/x.ts', "execSync('rm -rf x')\n"],
  ['recursive', ...source('src/disk/x.ts', 'await mkdir(dir, { recursive: true })\n')],
  ['nothing in it runs', 'test/crash/x.crash.ts', "const test = suite('x')\n"],
  ['nothing in it runs', 'test/grid/x.grid.ts', '// test.run()\n'],
  ['does not run', 'test/web/x.test.ts', `${run}const more = suite('more')\n`],
  ['never runs', 'test/crash/x.ts', run],
  ['only()', 'test/web/x.test.ts', `${run}test.only('this', () => {})\n`],
  ['twice', 'test/web/x.test.ts', `import './y.test.ts'\n${run}`],
]
for (const [because, path, text] of fails)
  test(`${path} fails: ${text.replace(header, '').split('\n')[0]}`, () => {
    const found = breaches(new Map([[path, text]]), ['chokidar'])
    assert.ok(
      found.some(each => each.startsWith(`${path}: `) && each.includes(because)),
      found.join('\n'),
    )
  })

test('links of documents lead to files', () => {
  const docs = new Map([['src/a/X.md', '[a](b.md) [c](../d.md#e) [w](https://x.org/y) [gone](gone.md)\n']])
  const there = ['src/a/b.md', 'src/d.md']
  assert.equal(
    brokenLinks(docs, path => there.includes(path)),
    ['src/a/X.md: the link to gone.md leads to nothing'],
  )
})

test.run()
