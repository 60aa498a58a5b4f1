import { PassThrough } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { askHidden, type Typed } from '../src/prompt.ts'

const test = suite('prompt')
const never = new AbortController().signal

/** A terminal as far as prompt.ts knows one. `modes` is what it was set to, in order. */
function seat(isTTY = true) {
  const modes: boolean[] = []
  const input = Object.assign(new PassThrough(), { isTTY, setRawMode: (on: boolean) => modes.push(on) })
  const shown: string[] = []
  const output = new PassThrough()
  output.on('data', chunk => shown.push(`${modes.at(-1) === true ? 'raw' : 'cooked'}: ${String(chunk)}`))
  let suspended = 0
  const suspend = async (): Promise<void> => {
    assert.is(modes.at(-1), false, 'a shell gets its terminal back as it was')
    suspended += 1
  }
  const ask = (signal = never): Promise<Typed> => askHidden('Password: ', { input, output, suspend }, signal)
  return { input, modes, shown, suspended: () => suspended, ask }
}

const rows: readonly (readonly [string, string, Typed])[] = [
  ['a line', 'sesame\r', { kind: 'typed', text: 'sesame' }],
  ['what stands behind the line', 'sesame\nmore', { kind: 'typed', text: 'sesame' }],
  ['umlauts, quotes, blanks', ' kä"f\'ig \r', { kind: 'typed', text: ' kä"f\'ig ' }],
  ['a letter taken back', 'sesamx\u007fe\r', { kind: 'typed', text: 'sesame' }],
  ['a letter taken back that is two code units', 'a\u{1f511}\u007f\r', { kind: 'typed', text: 'a' }],
  ['Ctrl-U', 'wrong\u0015right\r', { kind: 'typed', text: 'right' }],
  ['a tab and an escape', 'a\tb\u001bc\r', { kind: 'typed', text: 'abc' }],
  ['an empty line', '\r', { kind: 'nothing' }],
  ['Ctrl-D', 'ses\u0004', { kind: 'nothing' }],
  ['Ctrl-C', 'ses\u0003', { kind: 'interrupted' }],
]
for (const [what, keys, is] of rows)
  test(`at a terminal: ${what}`, async () => {
    const { input, modes, shown, ask } = seat()
    const asked = ask()
    input.write(keys)
    assert.equal(await asked, is)
    assert.equal(modes, [true, false])
    // Not one letter of it.
    assert.equal(shown, ['raw: Password: ', 'cooked: \n'])
    assert.ok(input.isPaused())
  })

test('Ctrl-Z gives the terminal back, and the question comes again when we go on', async () => {
  const { input, modes, shown, suspended, ask } = seat()
  const asked = ask()
  input.write('half\u001a')
  setImmediate(() => input.write('whole\r'))
  assert.equal(await asked, { kind: 'typed', text: 'whole' })
  assert.is(suspended(), 1)
  assert.equal(modes, [true, false, true, false])
  assert.equal(shown, ['raw: Password: ', 'raw: Password: ', 'cooked: \n'])
})

test('it can be asked again', async () => {
  const { input, modes, ask } = seat()
  for (const text of ['wrong', 'right']) {
    const asked = ask()
    input.write(`${text}\r`)
    assert.equal(await asked, { kind: 'typed', text })
  }
  assert.equal(modes, [true, false, true, false])
})

test('a signal ends the question, before it and during it, and the terminal is as it was', async () => {
  const late = new AbortController()
  const { modes, ask } = seat()
  const asked = ask(late.signal)
  late.abort()
  assert.equal(await asked, { kind: 'interrupted' })
  assert.equal(await ask(AbortSignal.abort()), { kind: 'interrupted' })
  assert.equal(modes, [true, false, true, false])
})

test('from a pipe the first line is taken as it stands, and nothing is asked', async () => {
  for (const [text, is] of [
    ['se\u0003same\nmore\n', { kind: 'typed', text: 'se\u0003same' }],
    ['no newline', { kind: 'typed', text: 'no newline' }],
    ['', { kind: 'nothing' }],
  ] as const) {
    const { input, modes, shown, ask } = seat(false)
    const asked = ask()
    input.end(text)
    assert.equal(await asked, is)
    assert.equal([modes, shown], [[], []])
  }
})

test.run()
