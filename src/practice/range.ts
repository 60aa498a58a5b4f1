// Which bytes a Range gets, and the honest answer to it. Gets open ranges wrong as XRootD 5.5.3 does, unless told otherwise. Never
// looks at paths or faults.

import type { ServerResponse } from 'node:http'
import { text } from './xrootd.ts'

/** One answer to GET on its way: what the honest and the nonsense answers need. */
export type Sending = {
  readonly size: number
  readonly range: Range
  readonly response: ServerResponse
  /** [from, to) of what lies there */
  readonly bytes: (from: number, to: number) => Uint8Array
  /** sends [from, to) under all faults of the storage; false = the connection is gone */
  readonly send: (from: number, to: number) => Promise<boolean>
}

/** `part`: `to` is exclusive and may lie beyond the end, where XRootD promises what it does not have. `empty`: an open range, got wrong. */
export type Range =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly from: number; readonly to: number }
  | { readonly kind: 'empty'; readonly from: number }
  | { readonly kind: 'many'; readonly ranges: readonly { readonly from: number; readonly to: number }[] }
  | { readonly kind: 'beyond' }

/** The honest answer, save that a range over the end promises its bytes, sends none of them and ends the connection. */
export async function answerRange({ size, range, response, bytes, send }: Sending): Promise<void> {
  switch (range.kind) {
    case 'whole':
      response.writeHead(200, { 'Content-Length': size })
      if (await send(0, size)) response.end()
      return
    case 'part': {
      const { from, to } = range
      response.writeHead(206, {
        'Content-Length': to - from,
        'Content-Range': `bytes ${from}-${to - 1}/${size}`,
      })
      if (to > size) {
        response.flushHeaders()
        response.socket?.end()
      } else if (await send(from, to)) response.end()
      return
    }
    case 'empty':
      response.writeHead(206, {
        'Content-Length': 0,
        'Content-Range': `bytes ${range.from}--1/${size}`,
      })
      response.end()
      return
    case 'many':
      return answerMultipart(range.ranges, { size, response, bytes })
    case 'beyond':
      response.setHeader('Content-Range', `bytes */${size}`)
      text(416, '', response)
  }
}

/** What a Range header asks for of a file of `size` bytes. */
export function readRange(header: string | undefined, size: number, openRangesWrong: boolean): Range {
  const many = /^bytes=\d+-\d+(,\d+-\d+)+$/.exec(header ?? '')
  if (many !== null) {
    const ranges = [...many[0].matchAll(/(\d+)-(\d+)/g)].map(([, first, last]) => ({
      from: Math.min(size, Number(first)),
      to: Math.min(size, Number(last) + 1),
    }))
    return { kind: 'many', ranges }
  }
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (match === null) return { kind: 'whole' }
  const [, first = '', last = ''] = match
  if (first === '') {
    if (openRangesWrong || last === '') return { kind: 'whole' }
    return Number(last) === 0 || size === 0
      ? { kind: 'beyond' }
      : { kind: 'part', from: Math.max(0, size - Number(last)), to: size }
  }
  const from = Number(first)
  if (openRangesWrong) {
    if (last === '') return { kind: 'empty', from }
    return Number(last) < from ? { kind: 'whole' } : { kind: 'part', from, to: Number(last) + 1 }
  }
  if (from >= size) return { kind: 'beyond' }
  const to = last === '' ? size : Math.min(size, Number(last) + 1)
  return to <= from ? { kind: 'whole' } : { kind: 'part', from, to }
}

/** 206 with one part for each range, as XRootD makes it (exchange s07); at most 1 MiB of each. */
export function answerMultipart(
  ranges: readonly { readonly from: number; readonly to: number }[],
  { size, response, bytes }: Pick<Sending, 'size' | 'response' | 'bytes'>,
): void {
  const parts = ranges.flatMap(({ from, to }) => [
    Buffer.from(
      `\r\n--123456\r\nContent-type: text/plain; charset=UTF-8\r\nContent-range: bytes ${from}-${to - 1}/${size}\r\n\r\n`,
    ),
    bytes(from, Math.min(to, from + 2 ** 20)),
  ])
  const body = Buffer.concat([...parts, Buffer.from('\r\n--123456--\r\n')])
  response.writeHead(206, {
    'Content-Type': 'multipart/byteranges; boundary=123456',
    'Content-Length': body.length,
  })
  response.end(body)
}
