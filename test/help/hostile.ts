// Names as an enemy, a careless person or another file system would give them, for property tests.

import fc from 'fast-check'

const piece = fc.constantFrom(
  'user.jdoe.',
  'mc16.',
  's:',
  'S:',
  'a',
  'A',
  'x'.repeat(90),
  '..',
  '../',
  '/..',
  '/',
  './',
  '\\',
  '\0',
  '\n',
  '-rf',
  '.',
  ' ',
  '*',
  '?',
  '~',
  '=',
  '=2E',
  '=2f',
  '%00',
  '#',
  '$',
  'CON',
  'nul.',
  'com1',
  'LPT9.root',
  'requests',
  'config.json',
  'INCOMPLETE.txt',
  '.rucio',
  '__proto__',
  'constructor',
  'é',
  'e\u0301',
  '\u212a',
  '\u202e',
  '😀',
  '.part',
  '.json',
)

/** Half of them are made of pieces that are dangerous together, the rest are good characters and any characters. */
export const hostileName = fc.oneof(
  { weight: 4, arbitrary: fc.array(piece, { maxLength: 8 }).map(parts => parts.join('')) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom('', 's:', 'mc16:', 'user.jdoe:', 'user.jdoe.'),
        fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
      )
      .map(([scope, name]) => scope + name.replace(/[ :*?]/g, '.')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
)
