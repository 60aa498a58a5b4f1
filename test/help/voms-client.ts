// A voms-proxy-init that writes and says what a test wants, and a certificate whose proxy help/proxy.ts is. Never makes a proxy.

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { proxyPem } from './proxy.ts'

export type Scene = {
  /** what it leaves at -out; undefined = nothing */
  readonly writes?: string
  readonly says?: string
  readonly code?: number
  /** it leaves its bare key in /tmp, as the C++ client does when it is killed */
  readonly leavesKey?: boolean
}

export type FakeClient = {
  /** the directory for PATH */
  readonly bin: string
  /** usercert.pem and userkey.pem */
  readonly certs: string
  plays(scene: Scene): Promise<void>
  /** of each run but `--help`: arguments, what came on stdin, the environment */
  runs(): Promise<
    readonly {
      readonly args: readonly string[]
      readonly input: string
      readonly env: Record<string, string>
    }[]
  >
}

const certificates = proxyPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? []
/** The certificate that the proxy of help/proxy.ts was made with. */
export const userCertPem = certificates[1] ?? ''

/** Node cannot read it, so that only the client judges it. */
const lockedKey = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n'

/** @param dir an empty directory */
export async function fakeClient(dir: string): Promise<FakeClient> {
  const [bin, certs, scene, seen] = ['bin', 'certs', 'scene', 'seen'].map(name => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ]
  for (const each of [bin, certs, scene, seen]) await mkdir(each)
  await writeFile(join(certs, 'usercert.pem'), userCertPem)
  await writeFile(join(certs, 'userkey.pem'), lockedKey, { mode: 0o400 })
  await writeFile(
    join(bin, 'voms-proxy-init'),
    `#!/bin/sh
[ "$1" = --help ] && exit 0
n=0
while [ -e "${seen}/$n.args" ]; do n=$((n + 1)); done
printf '%s\\0' "$@" >"${seen}/$n.args"
/bin/cat /proc/$$/environ >"${seen}/$n.env"
/bin/cat >"${seen}/$n.input"
: >"${seen}/$n.run"
[ -e "${scene}/leavesKey" ] && : >"/tmp/tmp_x509up_u$(/usr/bin/id -u)_$$"
while [ $# -gt 0 ]; do
    [ "$1" = -out ] && [ -e "${scene}/writes" ] && /bin/cat "${scene}/writes" >"$2"
    shift
done
/bin/cat "${scene}/says" >&2
exit "$(/bin/cat "${scene}/code")"
`,
    { mode: 0o755 },
  )
  return {
    bin,
    certs,
    async plays({ writes, says = '', code = 0, leavesKey = false }) {
      await writeFile(join(scene, 'says'), says)
      await writeFile(join(scene, 'code'), String(code))
      if (writes === undefined) await rm(join(scene, 'writes'), { force: true })
      else await writeFile(join(scene, 'writes'), writes)
      if (leavesKey) await writeFile(join(scene, 'leavesKey'), '')
    },
    async runs() {
      const count = (await readdir(seen)).filter(name => name.endsWith('.run')).length
      const runs = Array.from({ length: count }, async (_, n) => {
        const read = (what: string) => readFile(join(seen, `${n}.${what}`), 'utf8')
        const [args, env, input] = await Promise.all([read('args'), read('env'), read('input')])
        const pairs = env.split('\0').flatMap(each => {
          const at = each.indexOf('=')
          return at < 0 ? [] : [[each.slice(0, at), each.slice(at + 1)]]
        })
        return { args: args.split('\0').slice(0, -1), env: Object.fromEntries(pairs), input }
      })
      return await Promise.all(runs)
    },
  }
}
