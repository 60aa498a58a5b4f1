// Asks a person at a terminal for a secret, without showing it. Never keeps it, never asks where nobody sits.

import { readFile } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import { runProgram } from './outside/program.ts'

export type Terminal = Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown }

export type Streams = {
  readonly input: Terminal
  readonly output: Writable
  /** what Ctrl-Z does; resolves when we go on */
  readonly suspend: () => Promise<void>
}

export type Typed =
  | { readonly kind: 'typed'; readonly text: string }
  /** an empty line, Ctrl-D, or the end of a pipe */
  | { readonly kind: 'nothing' }
  /** Ctrl-C, or `signal` */
  | { readonly kind: 'interrupted' }

/** Ctrl-C, Ctrl-D, Ctrl-Z: a terminal that echoes nothing sends no signal by itself either. */
const keys = new Map<string, Typed | 'suspended'>([
  ['\u0003', { kind: 'interrupted' }],
  ['\u0004', { kind: 'nothing' }],
  ['\u001a', 'suspended'],
])
const ctrlU = '\u0015'

/** At a terminal what is typed is not shown; elsewhere (a pipe) the first line is taken. The terminal is left as it was found, whatever
 *  happens short of SIGKILL. */
export async function askHidden(question: string, streams: Streams, signal: AbortSignal): Promise<Typed> {
  const { input, output } = streams
  const isTerminal = input.isTTY === true && input.setRawMode !== undefined
  input.setEncoding('utf8')
  try {
    for (;;) {
      if (isTerminal) {
        // Before the question: who answers at once must not see it.
        input.setRawMode?.(true)
        output.write(question)
      }
      const typed = await readLine(input, isTerminal, signal)
      if (typed !== 'suspended') return typed
      input.setRawMode?.(false)
      await streams.suspend()
    }
  } finally {
    if (isTerminal) {
      input.setRawMode?.(false)
      output.write('\n')
    }
    // Or it would keep the process.
    input.pause()
  }
}

function readLine(input: Terminal, isTerminal: boolean, signal: AbortSignal): Promise<Typed | 'suspended'> {
  return new Promise(resolve => {
    let typed: string[] = []
    const end = (how: Typed | 'suspended'): void => {
      input.off('data', take).off('end', ended)
      signal.removeEventListener('abort', stop)
      resolve(how)
    }
    const ended = (): void =>
      end(typed.length === 0 ? { kind: 'nothing' } : { kind: 'typed', text: typed.join('') })
    const stop = (): void => end({ kind: 'interrupted' })
    const take = (text: string): void => {
      for (const char of text) {
        const how = isTerminal ? keys.get(char) : undefined
        if (char === '\r' || char === '\n') {
          ended()
          return
        }
        if (how !== undefined) {
          end(how)
          return
        }
        if (isTerminal && (char === '\u007f' || char === '\b')) typed.pop()
        else if (isTerminal && char === ctrlU) typed = []
        // What arrows and the like send is no part of a password.
        else if (!isTerminal || char >= ' ') typed.push(char)
      }
    }
    if (signal.aborted) {
      stop()
      return
    }
    input.on('data', take).on('end', ended)
    // One that was paused stays so, whoever listens.
    input.resume()
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** Are we the ones that the terminal listens to? `desktop-rucio serve &` has a terminal, too, and whoever asks there is stopped (SIGTTOU)
 *  until somebody calls it to the front. true where it cannot be told. */
export async function isInFront(signal: AbortSignal): Promise<boolean> {
  const groups = (await ofKernel()) ?? (await ofPs(signal))
  return groups === undefined || groups.own === groups.front
}

type Groups = { readonly own: string | undefined; readonly front: string | undefined }

/** pgrp and tpgid of proc(5), counted behind the name, which may hold spaces and brackets itself. */
async function ofKernel(): Promise<Groups | undefined> {
  try {
    const stat = await readFile('/proc/self/stat', 'latin1')
    const [, , own, , , front] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { own, front }
  } catch {
    // No /proc, or one that is closed: ps may know.
    return undefined
  }
}

async function ofPs(signal: AbortSignal): Promise<Groups | undefined> {
  try {
    const args = ['-o', 'pgid=', '-o', 'tpgid=', '-p', String(process.pid)]
    const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C' }
    const ran = await runProgram({ program: 'ps', args, env, timeoutMs: 5_000 }, signal)
    const [own, front] = ran.stdout.trim().split(/\s+/)
    return ran.code === 0 ? { own, front } : undefined
  } catch {
    // There is no ps either: then it is asked, as if nothing were known.
    return undefined
  }
}
