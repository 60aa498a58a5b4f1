// Certificates and revocation lists of authorities that live for one test, written in DER by hand. Never of use outside of it.

import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

export type Authority = {
  readonly pem: string
  /** A host certificate for localhost and 127.0.0.1, and its key. @param serial hex */
  host(serial: string): { readonly cert: string; readonly key: string }
  /** A certificate that may sign others. @param serial hex */
  below(name: string, serial: string): Authority
  crl(serials: readonly string[], options?: CrlOptions): string
}

export type CrlOptions = {
  readonly from?: Date
  /** null = none */
  readonly until?: Date | null
  /** hex of a whole Extension in crlExtensions */
  readonly extension?: string
  /** another's name with this one's signature */
  readonly name?: string
  /** PrintableString, where certificates have UTF8String */
  readonly printable?: boolean
}

const day = 86_400_000

/** @param until the end of its own certificate */
export function authority(
  name: string,
  options: { readonly until?: Date; readonly rsa?: boolean } = {},
): Authority {
  const pair =
    options.rsa === true
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer: Signer = { name, key: pair.privateKey }
  const pem = certificate(signer, {
    name,
    serial: '01',
    key: pair.publicKey,
    ca: true,
    ...(options.until === undefined ? {} : { until: options.until }),
  })
  return made(signer, pem)
}

type Signer = { readonly name: string; readonly key: KeyObject }

function made(signer: Signer, pem: string): Authority {
  return {
    pem,
    host(serial) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
      return {
        cert: certificate(signer, { name: 'localhost', serial, key: pair.publicKey, ca: false }),
        key,
      }
    },
    below(name, serial) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const own = certificate(signer, { name, serial, key: pair.publicKey, ca: true })
      return made({ name, key: pair.privateKey }, own)
    },
    crl: (serials, options = {}) => crl(signer, serials, options),
  }
}

function certificate(
  signer: Signer,
  what: {
    readonly name: string
    readonly serial: string
    readonly key: KeyObject
    readonly ca: boolean
    readonly until?: Date
  },
): string {
  const names = der(0x30, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))
  // Key identifiers: of two authorities with one name OpenSSL takes by them the one that has signed.
  const extensions = [
    extension('551d0e', der(0x04, idOf(what.key))),
    extension('551d23', der(0x30, der(0x80, idOf(createPublicKey(signer.key))))),
    ...(what.ca
      ? [extension('551d13', der(0x30, der(0x01, Buffer.from([0xff])))), extension('551d0f', hex('03020106'))]
      : [extension('551d11', names)]),
  ]
  const tbs = der(
    0x30,
    der(0xa0, hex('020102')),
    der(0x02, hex(what.serial)),
    algorithmOf(signer.key),
    nameOf(signer.name),
    der(0x30, time(new Date(Date.now() - 2 * day)), time(what.until ?? new Date(Date.now() + 365 * day))),
    nameOf(what.name),
    what.key.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  )
  return pemOf('CERTIFICATE', signed(signer, tbs))
}

function crl(signer: Signer, serials: readonly string[], options: CrlOptions): string {
  const { until = new Date(Date.now() + day), from = new Date(Date.now() - day) } = options
  const entries = serials.map(serial => der(0x30, der(0x02, hex(serial)), time(from)))
  const tbs = der(
    0x30,
    hex('020101'),
    algorithmOf(signer.key),
    nameOf(options.name ?? signer.name, options.printable === true ? 0x13 : 0x0c),
    time(from),
    ...(until === null ? [] : [time(until)]),
    ...(entries.length === 0 ? [] : [der(0x30, ...entries)]),
    ...(options.extension === undefined ? [] : [der(0xa0, der(0x30, hex(options.extension)))]),
  )
  return pemOf('X509 CRL', signed(signer, tbs))
}

function signed(signer: Signer, tbs: Buffer): Buffer {
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', tbs, signer.key)])
  return der(0x30, tbs, algorithmOf(signer.key), der(0x03, signature))
}

function idOf(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
}

function algorithmOf(key: KeyObject): Buffer {
  return key.asymmetricKeyType === 'rsa'
    ? hex('300d06092a864886f70d01010b0500')
    : hex('300a06082a8648ce3d040302')
}

function nameOf(name: string, kind = 0x0c): Buffer {
  return der(0x30, der(0x31, der(0x30, hex('0603550403'), der(kind, Buffer.from(name)))))
}

function extension(oid: string, value: Buffer): Buffer {
  return der(0x30, der(0x06, hex(oid)), der(0x04, value))
}

function time(at: Date): Buffer {
  const text = `${at
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replace(/[-:T]/g, '')}Z`
  return at.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text))
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const size = body.length.toString(16).padStart(body.length < 0x100 ? 2 : body.length < 0x10000 ? 4 : 6, '0')
  const length = body.length < 0x80 ? size : (0x80 + size.length / 2).toString(16) + size
  return Buffer.concat([hex(tag.toString(16).padStart(2, '0') + length), body])
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}

function pemOf(what: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${what}-----\n${lines.join('\n')}\n-----END ${what}-----\n`
}
