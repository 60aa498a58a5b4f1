// Logging in with an SSH key: challenges that count for 10 s, and what is signed with which key. Never gives a token itself.

import { createPublicKey, randomInt, verify } from 'node:crypto'

export type SshLogins = {
  /** public keys of jdoe from now on, PEM text */
  setKeys(pems: readonly string[]): void
  /** undefined for an account that is not there */
  challenge(account: string): { readonly token: string; readonly until: number } | undefined
  /** Does the signature fit one of the account's challenges and keys? @param signature base64 of an SSH signature */
  fits(account: string, signature: string): boolean
}

export function openSshLogins(): SshLogins {
  let keys: readonly string[] = []
  const challenges: { readonly account: string; readonly token: string; readonly until: number }[] = []
  return {
    setKeys(pems) {
      keys = pems
    },
    challenge(account) {
      if (account !== 'jdoe' && account !== 'root') return undefined
      const until = Date.now() + 10_000
      const token = `challenge-${randomInt(2 ** 47)}-${account}-${Math.floor(until / 1000)}`
      challenges.push({ account, token, until })
      return { token, until }
    },
    fits(account, signature) {
      const [algorithm, bytes] = split(Buffer.from(signature, 'base64'))
      if (account !== 'jdoe' || algorithm?.toString() !== 'rsa-sha2-256' || bytes === undefined) return false
      const open = challenges.filter(each => each.account === account && each.until >= Date.now())
      return keys.some(pem =>
        open.some(each => verify('sha256', Buffer.from(each.token), createPublicKey(pem), bytes)),
      )
    },
  }
}

/** SSH's frame around a signature: two strings, each with its length before it. */
function split(frame: Buffer): readonly Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at + 4 <= frame.length; ) {
    const length = frame.readUInt32BE(at)
    found.push(frame.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return found
}
