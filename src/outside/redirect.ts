import type { IncomingMessage } from 'node:http'
import type { Pfn } from '../words/pfn.ts'
import type { Ask, Identity } from './request.ts'

export type Opened = {
  readonly answer: IncomingMessage
  /** where the answer came from in the end; same as asked for without redirect. Never remembered beyond this transfer */
  readonly at: Pfn
  readonly hops: number
}

/** Data only (facts/faults.md 1b): at most 5 hops; token and cookie only to the first origin; client certificate only over https;
 *  https -> http only for data, without certificate or token, and not with plainData false. */
export declare function openData(
  pfn: Pfn,
  options: {
    readonly method: 'GET' | 'HEAD'
    readonly headers: Readonly<Record<string, string>>
    readonly identity: Identity
    readonly token: string | undefined
    readonly plainData: boolean
    readonly limits: Ask['limits']
    readonly signal: AbortSignal
  },
): Promise<Opened>
