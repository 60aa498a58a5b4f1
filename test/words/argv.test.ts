import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { splitCommand } from '../../src/words/argv.ts'

const test = suite('argv')

test('words are parted by blanks and held together by quotes', () => {
  for (const [text, words] of [
    ['fetch-crl', ['fetch-crl']],
    ['  /opt/update.sh \t -v\n', ['/opt/update.sh', '-v']],
    [`a 'b c' "d e"f ''`, ['a', 'b c', 'd ef', '']],
    [`a "it's" 'say "x"' "a \\"b\\" \\\\ \\n"`, ['a', "it's", 'say "x"', 'a "b" \\ \\n']],
    ['a b\\ c \\$HOME \\;', ['a', 'b c', '$HOME', ';']],
    [`a '$HOME | *'`, ['a', '$HOME | *']],
    ['a b~ --x=y', ['a', 'b~', '--x=y']],
  ] as const)
    assert.equal(splitCommand(text), words, text)
})

test('what only a shell would understand is refused in a sentence, and so is what is not whole', () => {
  for (const text of [
    'a | b',
    'a && b',
    'a; b',
    'a > f',
    '$HOME/x',
    '~/x',
    'a *.pem',
    'a `b`',
    'a $(b)',
    'a ?',
  ])
    assert.match((splitCommand(text) as { message: string }).message, 'no shell reads it', text)
  assert.equal(splitCommand(`a 'b`), { message: "a ' is not closed" })
  assert.equal(splitCommand('a "b\\"'), { message: 'a " is not closed' })
  assert.match((splitCommand('a \\') as { message: string }).message, 'backslash')
  for (const text of ['', '  ', "'' a"]) assert.equal(splitCommand(text), { message: 'it names no program' })
})

test.run()
