// A VOMS server that speaks the new way alone: GET /generate-ac over https, on a port that knows nothing of the old protocol, as those of
// INDIGO IAM do. What it gives is a real attribute certificate, signed with the key of the grid's VOMS server by voms-proxy-fake.

import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { at, elements, inside } from '../../../src/credential/der.ts'
import { variable } from '../seeded.ts'

export type RestServer = {
  readonly port: number
  /** a vomses file that names it for testvo */
  readonly vomses: string
  /** paths that were asked for, each with who asked */
  readonly asked: { readonly path: string; readonly who: string }[]
  /** requests that were none: the old protocol, say */
  strange(): number
  stop(): Promise<void>
}

const vomsAttributes = '2b06010401be45646405' // 1.3.6.1.4.1.8005.100.100.5
const member = 'Jane Doe'

/** @param held FQANs that the member has; the first is given to whoever asks for nothing */
export async function startRestServer(held: readonly string[]): Promise<RestServer> {
  const certs = join(variable('GRID_DIR'), 'certs')
  const dir = await mkdtemp(join(tmpdir(), 'voms-rest-'))
  for (const name of ['hostkey.pem', 'userkey-plain.pem']) await copyFile(join(certs, name), join(dir, name))
  const asked: { path: string; who: string }[] = []
  let strange = 0
  // The C++ client ends its lines with LF alone.
  const http = createServer({ insecureHTTPParser: true }, (request, response) => {
    const peer = (request.socket as TLSSocket).getPeerCertificate()
    const names: unknown = peer.subject?.CN
    const who = [names].flat().join('/')
    asked.push({ path: request.url ?? '', who })
    const reply = (status: number, inner: string): void => {
      response.writeHead(status, { 'Content-Type': 'text/xml' })
      response.end(`<?xml version="1.0" encoding="UTF-8" standalone="no"?><voms>${inner}</voms>`)
    }
    const refuse = (status: number, code: string, message: string): void =>
      reply(status, `<error><code>${code}</code><message>${message}</message></error>`)
    const url = new URL(request.url ?? '/', 'https://localhost')
    if (url.pathname !== '/generate-ac') return refuse(404, 'NotFound', 'there is nothing here')
    if (!who.includes(member)) return refuse(403, 'NoSuchUser', `User unknown to this VO: '${who}'`)
    const wanted = (url.searchParams.get('fqans') ?? '').split(',').filter(each => each !== '')
    const fqans = wanted.length === 0 ? held.slice(0, 1) : wanted
    if (fqans.some(each => !held.includes(each)))
      return refuse(
        403,
        'NoSuchAttribute',
        `User is not authorized to request attribute '${fqans.join()}' or attribute does not exist.`,
      )
    const lifetime = Number(url.searchParams.get('lifetime') ?? 3600)
    attributes({ dir, certs, fqans, seconds: Number.isFinite(lifetime) ? lifetime : 3600 }).then(
      // In lines: what has none the C++ client takes for an older encoding of its own.
      ac => reply(200, `<ac>${(ac.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n</ac>`),
      error => refuse(500, 'InternalError', String(error)),
    )
  })
  http.on('clientError', (_, socket) => {
    strange += 1
    socket.destroy()
  })
  const server = createTlsServer({
    cert: readFileSync(join(certs, 'hostcert.pem')),
    key: readFileSync(join(certs, 'hostkey.pem')),
    ca: readFileSync(join(certs, 'ca.pem')),
    requestCert: true,
    // Node takes no proxy for a client; who asks is looked at above.
    rejectUnauthorized: false,
  })
  const open = new Set<TLSSocket>()
  server.on('secureConnection', socket => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => socket.destroy())
    takeFlag(socket, () => http.emit('connection', socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const host = new X509Certificate(readFileSync(join(certs, 'hostcert.pem')))
  const vomses = join(dir, 'vomses')
  const dn = `/${host.subject.split('\n').join('/')}`
  await writeFile(vomses, `"testvo" "localhost" "${port}" "${dn}" "testvo"\n`)
  return {
    port,
    vomses,
    asked,
    strange: () => strange,
    async stop() {
      for (const socket of open) socket.destroy()
      await new Promise(resolve => server.close(resolve))
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** The C++ client sends one byte before its request, `0`: what GSI calls no delegation. Servers of VOMS take it away (httpg). */
function takeFlag(socket: TLSSocket, then: () => void): void {
  socket.once('readable', () => {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return takeFlag(socket, then)
    const rest = chunk[0] === 0x30 ? chunk.subarray(1) : chunk
    if (rest.length > 0) socket.unshift(rest)
    then()
  })
}

let count = 0

/** One attribute certificate of the member, in DER. */
async function attributes(ask: {
  readonly dir: string
  readonly certs: string
  readonly fqans: readonly string[]
  readonly seconds: number
}): Promise<Buffer> {
  const { dir, certs, fqans, seconds } = ask
  count += 1
  const out = join(dir, `fake-${count}.pem`)
  const minutes = Math.max(1, Math.round(seconds / 60))
  await promisify(execFile)('voms-proxy-fake', [
    ...['-cert', join(certs, 'usercert.pem'), '-key', join(dir, 'userkey-plain.pem')],
    ...['-certdir', join(certs, 'certificates'), '-hostcert', join(certs, 'hostcert.pem')],
    ...['-hostkey', join(dir, 'hostkey.pem'), '-voms', 'testvo', '-uri', 'localhost:15000'],
    ...fqans.flatMap(each => [
      '-fqan',
      `${each.includes('/Role=') ? each : `${each}/Role=NULL`}/Capability=NULL`,
    ]),
    ...['-rfc', '-newformat', '-hours', '48'],
    ...['-vomslife', `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`, '-out', out],
  ])
  const proxy = new X509Certificate(await readFile(out))
  const body = at(inside(at([...elements(proxy.raw)], 0)), 0)
  const list = inside(body).find(each => each.tag === 0xa3)
  if (list === undefined) throw new Error('the fake proxy has no extensions')
  for (const extension of inside(at(inside(list), 0))) {
    const parts = inside(extension)
    if (at(parts, 0).body.toString('hex') !== vomsAttributes) continue
    const [sequence] = elements(at(parts, parts.length - 1).body)
    if (sequence !== undefined) return at(inside(at(inside(sequence), 0)), 0).raw
  }
  throw new Error('the fake proxy has no attributes')
}
