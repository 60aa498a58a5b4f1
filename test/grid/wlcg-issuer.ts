// A token issuer of the WLCG's profile for real XRootD servers: its keys are put where their token library keeps those that it has fetched, so
// that nothing needs to be served. Never signs for anybody but the tests.

import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { variable } from './seeded.ts'

export type Issuer = {
  /** @param claims beside those of a token that may read all for an hour */
  token(claims?: Readonly<Record<string, unknown>>): string
  /** lines of a server that lets nobody in without such a token */
  readonly config: string
  readonly env: Readonly<Record<string, string>>
}

const audience = 'https://wlcg.cern.ch/jwt/v1/any'

/** @param name of this run */
export function openIssuer(name: string): Issuer {
  const dir = join(variable('GRID_DIR'), name)
  // Nobody listens there: a server whose cache holds its keys does not ask.
  const issuer = 'https://localhost:9/'
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const now = (): number => Math.floor(Date.now() / 1000)
  mkdirSync(join(dir, 'scitokens'), { recursive: true })
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'ES256' }] }
  const keys = JSON.stringify({ jwks, expires: now() + 86_400, next_update: now() + 43_200 })
  // The file and its table are those of scitokens-cpp 0.7.3 (its own misspelling).
  const made = spawnSync(
    join(variable('GRID_VENVS'), 'venv-client', 'bin', 'python'),
    [
      '-c',
      'import sqlite3, sys\n' +
        'db = sqlite3.connect(sys.argv[1])\n' +
        'db.execute("create table keycache (issuer text unique primary key not null, keys text not null)")\n' +
        'db.execute("insert into keycache values (?, ?)", (sys.argv[2], sys.argv[3]))\n' +
        'db.commit()',
      join(dir, 'scitokens', 'scitokens_cpp.sqllite'),
      issuer,
      keys,
    ],
    { encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`the keys of the issuer: ${made.stderr}`)
  writeFileSync(
    join(dir, 'scitokens.cfg'),
    `[Global]\naudience = ${audience}\n[Issuer tests]\nissuer = ${issuer}\nbase_path = /rucio\nmap_subject = False\n`,
  )
  if (process.getuid?.() === 0) spawnSync('chown', ['-R', 'xrootd:xrootd', dir])
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    token(claims = {}) {
      const held = {
        iss: issuer,
        sub: 'jane',
        aud: audience,
        iat: now(),
        nbf: now() - 60,
        exp: now() + 3600,
        jti: randomBytes(9).toString('hex'),
        scope: 'storage.read:/',
        'wlcg.ver': '1.0',
        ...claims,
      }
      const text = `${part({ alg: 'ES256', typ: 'JWT', kid: 'one' })}.${part(held)}`
      const signed = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${text}.${signed.toString('base64url')}`
    },
    config: [
      'xrootd.tls capable all',
      'xrootd.seclib libXrdSec.so',
      'sec.protocol ztn',
      'ofs.authorize 1',
      `ofs.authlib libXrdAccSciTokens.so config=${dir}/scitokens.cfg`,
    ].join('\n'),
    env: { XDG_CACHE_HOME: dir },
  }
}
