// The little of DER that X509Certificate does not tell: is this a proxy, and until when do its VOMS attributes count.
// Never checks a signature.

import type { X509Certificate } from 'node:crypto'

/** raw: with tag and length, as signatures and names are compared */
export type Element = { readonly tag: number; readonly body: Buffer; readonly raw: Buffer }

const vomsAttributes = '2b06010401be45646405' // 1.3.6.1.4.1.8005.100.100.5
const proxyInfo = ['2b0601050507010e', '2b060104019b5001815e'] // RFC 3820, and its draft

/** A proxy: by its extension, or by the old style's last name. */
export function isProxy(certificate: X509Certificate): boolean {
  const found = extensions(certificate)
  return proxyInfo.some(each => found.has(each)) || /\nCN=(limited )?proxy$/.test(certificate.subject)
}

/** When the VOMS attributes in a proxy begin and end, ms since 1970; undefined without any. Throws for broken DER. */
export function vomsTimes(certificate: X509Certificate): { from: number; end: number } | undefined {
  const found = extensions(certificate).get(vomsAttributes)
  if (found === undefined) return undefined
  const times = [...elements(found)]
    .flatMap(inside)
    .flatMap(inside)
    // AttributeCertificateInfo: version, holder, issuer, signature, serial, validity, …
    .map(ac => inside(at(inside(at(inside(ac), 0)), 5)).map(time))
  if (times.length === 0) return undefined
  return {
    from: Math.max(...times.map(each => each[0] ?? Number.NaN)),
    end: Math.min(...times.map(each => each[1] ?? Number.NaN)),
  }
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
