// Answers that no client may believe: what broken storages, portals and proxies give to a Range. Never the honest answer.

import { gzipSync } from 'node:zlib'
import type { Nonsense } from './faults.ts'
import { answerMultipart, answerRange, type Sending } from './range.ts'
import { loginPage, text } from './xrootd.ts'

/** @returns false where this kind of nonsense is about ranges and none was asked for: the honest answer is due then */
export async function answerNonsense(kind: Nonsense, sending: Sending): Promise<boolean> {
  const { size, range, response, bytes, send } = sending
  const part = range.kind === 'part'
  const from = part ? Math.min(range.from, size) : 0
  const to = part ? Math.min(range.to, size) : size
  const contentRange = { 'Content-Range': `bytes ${from}-${to - 1}/${size}` }
  switch (kind) {
    case 'none':
      return false
    case '200':
      // The whole file, as a server that knows no ranges.
      await answerRange({ ...sending, range: { kind: 'whole' } })
      return true
    case 'wrong-range': {
      // Other bytes than those asked for, and honest about it.
      if (!part || size < 2) return false
      const moved = from > 0 ? { from: from - 1, to: to - 1 } : { from: 1, to: Math.min(to + 1, size) }
      await answerRange({ ...sending, range: { kind: 'part', ...moved } })
      return true
    }
    case 'wrong-total':
      // The right bytes of a file that is one byte longer.
      if (!part) return false
      response.writeHead(206, {
        'Content-Length': to - from,
        'Content-Range': `bytes ${from}-${to - 1}/${size + 1}`,
      })
      if (await send(from, to)) response.end()
      return true
    case 'short':
      // Half of what was promised, then a proper end of the connection.
      response.writeHead(part ? 206 : 200, { 'Content-Length': to - from, ...(part ? contentRange : {}) })
      if (await send(from, from + Math.floor((to - from) / 2))) {
        response.flushHeaders()
        response.socket?.end()
      }
      return true
    case 'long':
      // Without a length, and 64 KiB more than was asked for.
      response.setHeader('Connection', 'close')
      response.removeHeader('Transfer-Encoding')
      response.writeHead(part ? 206 : 200, part ? contentRange : {})
      if (await send(from, to)) response.end(bytes(0, Math.min(size, 65536)))
      return true
    case 'html':
      response.setHeader('Content-Type', 'text/html')
      text(200, '<html><body><h1>The storage is down for maintenance</h1></body></html>\n', response)
      return true
    case 'login': {
      // A portal in front: the redirect leads to a page that answers 200.
      response.setHeader('Location', '/sso/login')
      text(302, loginPage, response)
      return true
    }
    case 'encoded': {
      const packed = gzipSync(bytes(from, Math.min(to, from + mostBytes)))
      response.writeHead(part ? 206 : 200, {
        'Content-Encoding': 'gzip',
        'Content-Length': packed.length,
        ...(part ? contentRange : {}),
      })
      response.end(packed)
      return true
    }
    case 'multipart':
      if (!part) return false
      answerMultipart([{ from, to }], sending)
      return true
    case '416':
      if (!part) return false
      await answerRange({ ...sending, range: { kind: 'beyond' } })
      return true
  }
}

// Nobody may use a byte of these, so a whole big range is not made for them.
const mostBytes = 2 ** 20
