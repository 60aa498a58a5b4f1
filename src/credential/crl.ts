// A certificate revocation list, and the names and serial of a certificate, as they are compared. Never says who is to be believed:
// whose signature a list bears is asked of it.

import { createHash, type KeyObject, verify } from 'node:crypto'
import { at, type Element, elements, inside } from './der.ts'

export type Crl = {
  /** names the same issuer as nameOf() of its certificates does */
  readonly issuer: string
  /** ms since 1970 */
  readonly from: number
  /** undefined = it never grows old */
  readonly until: number | undefined
  /** lower-case hex without leading zeros */
  readonly serials: ReadonlySet<string>
  /** of all its bytes */
  readonly digest: string
  isSignedBy(key: KeyObject): boolean
}

/** Hash of a signature by its OID; null where the key itself says it. */
const signatures = new Map<string, string | null>([
  ['2a864886f70d010105', 'sha1'],
  ['2a864886f70d01010e', 'sha224'],
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a8648ce3d0401', 'sha1'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
  ['2b6570', null],
  ['2b6571', null],
])
const issuingDistributionPoint = '551d1c'

/** @param file PEM (the first list in it) or DER
 *  @throws Error in words for what is no list, or one that may not be used: RFC 5280, 5.2: who does not know a critical extension
 *  must not judge by that list. That keeps delta and indirect lists out, too. */
export function readCrl(file: Buffer): Crl {
  const der = toDer(file)
  const [tbs, algorithm, signature] = inside(at([...elements(der)], 0))
  // The first byte of a BIT STRING counts unused bits, and there are none.
  if (tbs === undefined || algorithm === undefined || signature?.tag !== 0x03 || signature.body[0] !== 0)
    throw new Error('no revocation list')
  const parts = inside(tbs)
  // The version is there in all but lists of 1988.
  const [inner, issuer, from, ...rest] = parts[0]?.tag === 0x02 ? parts.slice(1) : parts
  if (inner === undefined || issuer?.tag !== 0x30 || from === undefined) throw new Error('no revocation list')
  // Only the inner one is under the signature; RFC 5280, 5.1.1.2 wants both alike.
  if (!inner.raw.equals(algorithm.raw)) throw new Error('a revocation list that names two signatures')
  const until = isTime(rest[0]) ? timeOf(rest[0]) : undefined
  const revoked = rest.find(each => each.tag === 0x30)
  checkExtensions(rest.find(each => each.tag === 0xa0))
  const hash = signatures.get(at(inside(algorithm), 0).body.toString('hex'))
  return {
    issuer: nameKey(issuer),
    from: timeOf(from),
    until,
    serials: revoked === undefined ? new Set() : serialsOf(revoked.body),
    digest: createHash('sha256').update(der).digest('hex'),
    isSignedBy: key => hash !== undefined && isSigned(hash, tbs.raw, key, signature.body.subarray(1)),
  }
}

/** @param der of a certificate. Throws for broken DER. */
export function nameOf(der: Buffer): {
  readonly issuer: string
  readonly subject: string
  readonly serial: string
} {
  const parts = inside(at(inside(at([...elements(der)], 0)), 0))
  const [serial, , issuer, , subject] = parts[0]?.tag === 0xa0 ? parts.slice(1) : parts
  if (serial === undefined || issuer === undefined || subject === undefined)
    throw new Error('DER: no certificate')
  return { issuer: nameKey(issuer), subject: nameKey(subject), serial: serialOf(serial.body) }
}

function toDer(file: Buffer): Buffer {
  const pem = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/.exec(
    // A list of a big authority has megabytes; the mark stands at the head, and text before it is short.
    file[0] === 0x30 ? '' : file.toString('latin1'),
  )?.[1]
  if (pem !== undefined) return Buffer.from(pem, 'base64')
  if (file[0] === 0x30) return file
  throw new Error('no revocation list')
}

/** Lists have tens of thousands of entries: no object is made for each. */
function serialsOf(entries: Buffer): Set<string> {
  const serials = new Set<string>()
  for (const { tag, body } of elements(entries)) {
    const size = body[1] ?? 0
    // A serial has 20 bytes at most (RFC 5280), so its length is one byte.
    if (tag !== 0x30 || body[0] !== 0x02 || size >= 0x80 || 2 + size > body.length)
      throw new Error('DER: no entry of a revocation list')
    serials.add(serialOf(body.subarray(2, 2 + size)))
  }
  return serials
}

function serialOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^0+(?=.)/, '')
}

function checkExtensions(list: Element | undefined): void {
  if (list === undefined) return
  for (const each of inside(at(inside(list), 0))) {
    const [oid, critical, value] = inside(each)
    if (oid === undefined || critical?.tag !== 0x01 || critical.body[0] === 0) continue
    // One that only says which part of the certificates it is about lists serials of that authority all the same.
    if (oid.body.toString('hex') === issuingDistributionPoint && value !== undefined && !isIndirect(value))
      continue
    throw new Error(`a critical extension is not known (${oid.body.toString('hex')})`)
  }
}

/** [4] indirectCRL: its entries are of other authorities as well. */
function isIndirect(value: Element): boolean {
  return inside(at([...elements(value.body)], 0)).some(each => each.tag === 0x84 && each.body[0] !== 0)
}

function isSigned(hash: string | null, bytes: Buffer, key: KeyObject, signature: Buffer): boolean {
  try {
    return verify(hash, bytes, key, signature)
  } catch {
    // A key of another kind than the signature: not signed by it.
    return false
  }
}

/** Two encodings of one name give one text: authorities write UTF8String in the one and PrintableString in the other
 *  (RFC 5280, 7.1, as OpenSSL's X509_NAME_cmp has it). */
function nameKey(name: Element): string {
  return JSON.stringify(
    inside(name).map(set =>
      inside(set)
        .map(pair => {
          const [oid, value] = inside(pair)
          if (oid === undefined || value === undefined) throw new Error('DER: no name')
          return `${oid.body.toString('hex')}=${textOf(value)}`
        })
        .sort(),
    ),
  )
}

function textOf(value: Element): string {
  switch (value.tag) {
    case 0x0c: // UTF8String
      return folded(value.body.toString('utf8'))
    case 0x1e: // BMPString
      return folded(Buffer.from(value.body).swap16().toString('utf16le'))
    case 0x13: // PrintableString
    case 0x14: // T61String
    case 0x16: // IA5String
    case 0x1a: // VisibleString
      return folded(value.body.toString('latin1'))
    default:
      return value.raw.toString('hex')
  }
}

function folded(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toLowerCase()
}

function isTime(element: Element | undefined): element is Element {
  return element?.tag === 0x17 || element?.tag === 0x18
}

/** UTCTime or GeneralizedTime (RFC 5280, 5.1.2.4) -> ms since 1970. */
function timeOf(element: Element): number {
  const text = element.body.toString('latin1')
  const match = /^(\d{4}|\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  if (!isTime(element) || match === null || (match[1]?.length === 2) !== (element.tag === 0x17))
    throw new Error('DER: no time')
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  const whole = element.tag === 0x18 ? year : year + (year < 50 ? 2000 : 1900)
  return Date.UTC(whole, month - 1, day, hour, minute, second)
}
