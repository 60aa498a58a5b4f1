// A stream of JSON values, one a line, as Rucio sends lists. Never holds more than a line, never takes half a one.

import type { IncomingMessage } from 'node:http'
import { dropBody } from '../outside/request.ts'
import { Trouble } from '../words/reason.ts'

/** Yields each value. Every line ends with a newline, the last one too: what comes without is cut short, and
 *  Trouble('bad_listing') is thrown after the values before it. An empty body is an empty list. */
export async function* jsonLines(answer: IncomingMessage, maxLineBytes: number): AsyncGenerator<unknown> {
  const encoding = answer.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    dropBody(answer)
    throw new Trouble(
      'bad_listing',
      `the catalogue sent an encoded list${/^[a-z-]{1,10}$/.test(encoding) ? ` (${encoding})` : ''}, which was not asked for`,
    )
  }
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let kept: Buffer[] = []
  let keptBytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      kept.push(chunk.subarray(from, end))
      keptBytes += end - from
      from = end + 1
      if (keptBytes > maxLineBytes) throw tooLong(maxLineBytes)
      const line = kept.length === 1 ? kept[0] : Buffer.concat(kept)
      kept = []
      keptBytes = 0
      yield parseLine(line ?? Buffer.alloc(0), decoder)
    }
    if (from < chunk.length) {
      kept.push(chunk.subarray(from))
      keptBytes += chunk.length - from
      if (keptBytes > maxLineBytes) throw tooLong(maxLineBytes)
    }
  }
  if (keptBytes > 0) throw new Trouble('bad_listing', 'a list of the catalogue ends in the middle of a line')
}

function parseLine(line: Buffer, decoder: InstanceType<typeof TextDecoder>): unknown {
  try {
    return JSON.parse(decoder.decode(line))
  } catch (error) {
    throw new Trouble('bad_listing', 'a line in a list of the catalogue is not JSON', error)
  }
}

function tooLong(maxLineBytes: number): Trouble {
  return new Trouble('bad_listing', `a line in a list of the catalogue is longer than ${maxLineBytes} bytes`)
}
