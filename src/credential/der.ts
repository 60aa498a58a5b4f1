// The little of DER that X509Certificate does not tell: is this a proxy, and what do its VOMS attributes say.
// Never checks a signature.

import type { X509Certificate } from 'node:crypto'

/** raw: with tag and length, as signatures and names are compared */
export type Element = { readonly tag: number; readonly body: Buffer; readonly raw: Buffer }

const vomsAttributes = '2b06010401be45646405' // 1.3.6.1.4.1.8005.100.100.5
const vomsFqans = '2b06010401be45646404' // 1.3.6.1.4.1.8005.100.100.4
const proxyInfo = ['2b0601050507010e', '2b060104019b5001815e'] // RFC 3820, and its draft

/** A proxy: by its extension, or by the old style's last name. */
export function isProxy(certificate: X509Certificate): boolean {
  const found = extensions(certificate)
  return proxyInfo.some(each => found.has(each)) || /\nCN=(limited )?proxy$/.test(certificate.subject)
}

export type VomsAttributes = {
  /** ms since 1970; of several the time that all of them count */
  readonly from: number
  readonly end: number
  readonly vos: readonly string[]
  /** as they stand in it: /VO/GROUP/Role=NAME/Capability=NULL */
  readonly fqans: readonly string[]
}

/** The VOMS attributes in a proxy; undefined without any. Throws for broken DER. */
export function vomsOf(certificate: X509Certificate): VomsAttributes | undefined {
  const found = extensions(certificate).get(vomsAttributes)
  if (found === undefined) return undefined
  const all = [...elements(found)].flatMap(inside).flatMap(inside).map(readAttributes)
  if (all.length === 0) return undefined
  return {
    from: Math.max(...all.map(each => each.from)),
    end: Math.min(...all.map(each => each.end)),
    vos: all.flatMap(each => each.vos),
    fqans: all.flatMap(each => each.fqans),
  }
}

/** One AttributeCertificate. AttributeCertificateInfo: version, holder, issuer, signature, serial, validity, attributes, … */
function readAttributes(certificate: Element): VomsAttributes {
  const info = inside(at(inside(certificate), 0))
  const [from = Number.NaN, end = Number.NaN] = inside(at(info, 5)).map(time)
  const vos: string[] = []
  const fqans: string[] = []
  for (const attribute of inside(at(info, 6)).map(inside)) {
    if (at(attribute, 0).body.toString('hex') !== vomsFqans) continue
    for (const value of inside(at(attribute, 1))) {
      const [authority, list] = [at(inside(value), 0), at(inside(value), 1)]
      // VO://HOST:PORT of who issued it
      vos.push(at(inside(authority), 0).body.toString('utf8').split('://')[0] ?? '')
      fqans.push(...inside(list).map(each => each.body.toString('utf8')))
    }
  }
  return { from, end, vos, fqans }
}

function extensions(certificate: X509Certificate): Map<string, Buffer> {
  const body = at(inside(at([...elements(certificate.raw)], 0)), 0)
  const list = inside(body).find(each => each.tag === 0xa3)
  if (list === undefined) return new Map()
  return new Map(
    inside(at(inside(list), 0)).map(each => {
      const parts = inside(each)
      return [at(parts, 0).body.toString('hex'), at(parts, parts.length - 1).body]
    }),
  )
}

/** The elements of one level. Throws for what is no DER. */
export function* elements(bytes: Buffer): Generator<Element> {
  for (let next = 0; next < bytes.length; ) {
    const start = next
    const tag = bytes[next++] ?? 0
    let size = bytes[next++] ?? 0
    if (size >= 0x80) {
      const more = size - 0x80
      if (more === 0 || more > 4 || next + more > bytes.length) throw new Error('DER: a length is wrong')
      size = bytes.readUIntBE(next, more)
      next += more
    }
    if (next + size > bytes.length) throw new Error('DER: cut short')
    yield { tag, body: bytes.subarray(next, next + size), raw: bytes.subarray(start, next + size) }
    next += size
  }
}

export function inside(element: Element): Element[] {
  return [...elements(element.body)]
}

/** Throws where there are not so many. */
export function at(list: readonly Element[], index: number): Element {
  const found = list[index]
  if (found === undefined) throw new Error('DER: an element is missing')
  return found
}

/** GeneralizedTime, as attribute certificates have it. */
function time(element: Element): number {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(element.body.toString('latin1'))
  if (match === null) throw new Error('DER: no time')
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second)
}
