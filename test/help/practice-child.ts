// A practice grid in a process of its own, so that serving does not take the time of what is tested; orders go over IPC. Never leaves
// a process behind.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type {
  CatalogueFaults,
  Faults,
  PracticeGrid,
  Seed,
  Sent,
  StartOptions,
} from '../../src/practice/grid.ts'

/** PracticeGrid with answers that have to be waited for. */
export type PracticeChild = Pick<
  PracticeGrid,
  'url' | 'caPem' | 'rse' | 'setFaults' | 'setCatalogue' | 'stop'
> & {
  readonly pid: number
  setSeed(seed: Seed): Promise<void>
  sent(): Promise<readonly Sent[]>
  forgetSent(): Promise<void>
  calls(): Promise<readonly string[]>
}

export type Order = { readonly id: number } & (
  | { readonly what: 'setFaults'; readonly rse: string; readonly faults: Partial<Faults> }
  | { readonly what: 'setCatalogue'; readonly faults: CatalogueFaults }
  | { readonly what: 'setSeed'; readonly seed: Seed }
  | { readonly what: 'sent' | 'forgetSent' | 'calls' | 'stop' }
)

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }

type Hello = { readonly url: string; readonly caPem: string; readonly rses: readonly [string, string][] }

export async function startPracticeChild(options: StartOptions): Promise<PracticeChild> {
  const server = fileURLToPath(new URL('practice-server.js', import.meta.url))
  const child = fork(server, [JSON.stringify(options)], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let last = 0

  function wait(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
  }
  child.on('message', (reply: Reply) => {
    const asker = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('error' in reply) asker?.reject(new Error(reply.error))
    else asker?.resolve(reply.value)
  })
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`the practice grid ended: ${code ?? signal}`))
    waiting.clear()
  })
  function order(what: OrderBody): Promise<unknown> {
    if (!child.connected) return Promise.reject(new Error('the practice grid has ended'))
    const id = ++last
    const answer = wait(id)
    child.send({ ...what, id })
    return answer
  }

  const hello = (await wait(0)) as Hello
  const rses = new Map(hello.rses)
  return {
    url: hello.url,
    caPem: hello.caPem,
    pid: child.pid ?? 0,
    rse(name) {
      const place = rses.get(name)
      if (place === undefined) throw new Error(`the practice grid has no RSE ${name}`)
      return place
    },
    async setFaults(rse, faults) {
      await order({ what: 'setFaults', rse, faults })
    },
    async setCatalogue(faults) {
      await order({ what: 'setCatalogue', faults })
    },
    async setSeed(seed) {
      await order({ what: 'setSeed', seed })
    },
    sent: async () => (await order({ what: 'sent' })) as readonly Sent[],
    async forgetSent() {
      await order({ what: 'forgetSent' })
    },
    calls: async () => (await order({ what: 'calls' })) as readonly string[],
    async stop() {
      const exit = once(child, 'exit')
      await order({ what: 'stop' })
      await exit
    },
  }
}

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never
type OrderBody = WithoutId<Order>
