// The fields that Rucio's answers have in common, checked. Never trusts one.

import { type Did, makeDid, printDid } from '../words/did.ts'
import { clean, Trouble } from '../words/reason.ts'

/** The DID of an object with scope and name. A name that cannot be taken is Trouble('bad_listing') that says which. */
export function didOf(object: Readonly<Record<string, unknown>>): Did {
  const { scope, name } = object
  if (typeof scope !== 'string' || typeof name !== 'string')
    throw new Trouble('bad_listing', 'the catalogue sent a line without scope and name')
  const did = makeDid(scope, name)
  if (did instanceof Trouble)
    throw new Trouble('bad_listing', `the catalogue names a file that cannot be taken: ${did.detail}`, did)
  // makeDid() cuts one trailing slash, as users write it; in a listing it would be another file.
  if (did.name !== name)
    throw new Trouble(
      'bad_listing',
      `the catalogue names a file that ends in a slash: ${clean(printDid(did))}/`,
    )
  return did
}

/** A checksum in lower case and in its full length; undefined where the catalogue has none.
 *  @param length of the hex text: 8 for adler32, 32 for md5 */
export function checksumOf(value: unknown, length: 8 | 32, did: Did): string | undefined {
  if (value === null || value === undefined || value === '') return undefined
  if (typeof value === 'string' && /^[0-9a-fA-F]+$/.test(value)) {
    // Old entries have lost leading zeros: the sum was printed as a number.
    const text = value.toLowerCase().padStart(length === 8 ? 8 : 0, '0')
    if (text.length === length) return text
  }
  throw new Trouble('bad_listing', `the catalogue has a checksum that is none for ${printDid(did)}`)
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
