// The user's RSA key for SSH, as openssl or ssh-keygen wrote it, and what is signed with it. Never keeps the key, never asks for a passphrase.

import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { constants, open } from 'node:fs/promises'
import { codeOf, Trouble } from '../words/reason.ts'

const mostBytes = 65_536
const algorithm = 'rsa-sha2-256'

/** @returns base64 of the signature as SSH frames it (RFC 8332, 3): what GET /auth/ssh takes */
export function signChallenge(challenge: string, key: KeyObject): string {
  const signature = sign('sha256', Buffer.from(challenge, 'latin1'), key)
  return Buffer.concat([framed(Buffer.from(algorithm)), framed(signature)]).toString('base64')
}

/** @returns an RSA key. Throws Trouble('auth') with what to do */
export async function readSshKey(path: string): Promise<KeyObject> {
  const text = await textOf(path)
  const key = keyOf(text, path)
  // Rucio's server verifies with RSA keys and no others.
  if (key.asymmetricKeyType !== 'rsa')
    throw new Trouble(
      'auth',
      `the SSH key ${path} is of type ${key.asymmetricKeyType}: Rucio takes RSA keys only (ssh-keygen -t rsa)`,
    )
  return key
}

async function textOf(path: string): Promise<string> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    // A FIFO would keep us waiting for ever.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    throw new Trouble('auth', `the SSH key ${path} cannot be read (${codeOf(error)})`, error)
  }
  try {
    const found = await file.stat()
    if (!found.isFile() || found.size > mostBytes) throw new Trouble('auth', `${path} is no SSH key`)
    // As ssh does; on Windows the mode says nothing.
    if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
      throw new Trouble('auth', `others may read the SSH key ${path}: chmod 600 ${path}`)
    return await file.readFile('latin1')
  } finally {
    await file.close()
  }
}

function keyOf(text: string, path: string): KeyObject {
  const openssh = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text)?.[1]
  try {
    return openssh === undefined ? createPrivateKey(text) : fromOpenssh(Buffer.from(openssh, 'base64'), path)
  } catch (error) {
    if (error instanceof Trouble) throw error
    if (/ENCRYPTED/.test(text)) throw locked(path)
    // Node's message may hold pieces of what it read.
    throw new Trouble('auth', `${path} is no private key that can be read (PEM or OpenSSH)`)
  }
}

function locked(path: string): Trouble {
  return new Trouble(
    'auth',
    `the SSH key ${path} has a passphrase, which nobody is there to type: name a key without one`,
  )
}

/** What ssh-keygen writes since OpenSSH 7.8 and Node does not read: openssh/PROTOCOL.key. */
function fromOpenssh(bytes: Buffer, path: string): KeyObject {
  const magic = 'openssh-key-v1\0'
  if (bytes.toString('latin1', 0, magic.length) !== magic) throw new Error('no such key')
  const outer = reader(bytes.subarray(magic.length))
  const cipher = outer.text()
  if (cipher !== 'none') throw locked(path)
  outer.bytes() // the derivation of a key: none
  outer.bytes() // its options: none
  if (outer.number() !== 1) throw new Error('not one key')
  outer.bytes() // the public half
  const inner = reader(outer.bytes())
  const check = inner.number()
  if (inner.number() !== check) throw new Error('its check numbers differ')
  const type = inner.text()
  if (type !== 'ssh-rsa')
    throw new Trouble(
      'auth',
      `the SSH key ${path} is of type ${type.replace(/[^\w@.-]/g, '')}: Rucio takes RSA keys only (ssh-keygen -t rsa)`,
    )
  const [n, e, d, qi, p, q] = [0, 0, 0, 0, 0, 0].map(() => inner.bytes())
  const url = (number: Buffer | undefined): string => (number ?? Buffer.alloc(0)).toString('base64url')
  const rest = (prime: Buffer | undefined): string => {
    const [secret, one] = [big(d), big(prime) - 1n]
    const hex = (secret % one).toString(16)
    return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url')
  }
  const plain = (number: Buffer | undefined): string => url(number?.[0] === 0 ? number.subarray(1) : number)
  return createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'RSA',
      n: plain(n),
      e: plain(e),
      d: plain(d),
      p: plain(p),
      q: plain(q),
      qi: plain(qi),
      dp: rest(p),
      dq: rest(q),
    },
  })
}

function big(number: Buffer | undefined): bigint {
  return BigInt(`0x${number?.toString('hex') || '0'}`)
}

/** SSH's strings and numbers (RFC 4251, 5). Throws RangeError beyond the end. */
function reader(from: Buffer): { number(): number; bytes(): Buffer; text(): string } {
  let at = 0
  const number = (): number => {
    at += 4
    return from.readUInt32BE(at - 4)
  }
  const bytes = (): Buffer => {
    const length = number()
    if (at + length > from.length) throw new RangeError('cut')
    at += length
    return from.subarray(at - length, at)
  }
  return { number, bytes, text: () => bytes().toString('latin1') }
}

function framed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
