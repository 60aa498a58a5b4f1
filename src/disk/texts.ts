// Names in few bytes, for what reads a whole listing. Never keeps anything by itself.

import { randomInt } from 'node:crypto'
import { emptyTexts, type Texts } from '../words/texts.ts'

/** With a seed that nobody outside can know. */
export function openTexts(): Texts {
  return emptyTexts(randomInt(2 ** 32))
}
