// What the tests of the engines that are programs share: the file that is brought, a program that a script plays, and what it was called with.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesOf } from '../../src/practice/grid.ts'
import { temporary } from '../help/data.ts'
import { MiB, never, type Scene } from './scene.ts'

export const bytes = 3 * MiB + 7
export const good = bytesOf(
  { scope: 'user.test', name: 'a.root', bytes, checksums: [], replicas: {} },
  0,
  bytes,
)

/** A place for one program: `dir`/good holds the file, `dir`/calls one line of JSON a call, which the script appends. */
export type Stage<Call> = {
  readonly dir: string
  readonly program: string
  /** one after the other */
  calls(): Promise<readonly Call[]>
  /** @param code of node */
  put(code: string): Promise<void>
}

export async function openStage<Call>(name: string): Promise<Stage<Call>> {
  const dir = await temporary()
  const program = join(dir, name)
  const calls = join(dir, 'calls')
  await writeFile(join(dir, 'good'), good)
  await writeFile(calls, '')
  return {
    dir,
    program,
    put: code => writeFile(program, `#!${process.execPath}\n${code}\n`, { mode: 0o755 }),
    async calls() {
      const lines = (await readFile(calls, 'utf8')).trimEnd().split('\n')
      return lines.filter(each => each !== '').map(each => JSON.parse(each))
    },
  }
}

/** Fetches once. @returns `finished` or `stopped`, or the reason with `costs` or `free`: whether it counts as a try */
export async function outcomeOf({ scene }: { readonly scene: Scene }, signal = never): Promise<string> {
  const fetched = await scene.fetch(signal)
  return fetched.kind === 'failed'
    ? `${fetched.failure.reason} ${fetched.costs ? 'costs' : 'free'}`
    : fetched.kind
}
