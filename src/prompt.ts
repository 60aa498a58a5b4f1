// Asks a person at a terminal for a secret, without showing it. Never keeps it, never asks where nobody sits.

import type { Readable, Writable } from 'node:stream'

export type Terminal = Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown }

export type Streams = {
  readonly input: Terminal
  readonly output: Writable
  /** what Ctrl-C does */
  readonly interrupt: () => void
}

const ctrlC = '\u0003'
const ctrlD = '\u0004'
const ctrlU = '\u0015'

/** At a terminal what is typed is not shown; elsewhere (a pipe) the first line is taken.
 *  @returns undefined when nothing was typed, or Ctrl-C or Ctrl-D was */
export async function askHidden(
  question: string,
  { input, output, interrupt }: Streams,
  signal: AbortSignal,
): Promise<string | undefined> {
  const isTerminal = input.isTTY === true && input.setRawMode !== undefined
  if (isTerminal) {
    output.write(question)
    input.setRawMode?.(true)
  }
  input.setEncoding('utf8')
  try {
    return await readLine({ input, interrupt }, isTerminal, signal)
  } finally {
    if (isTerminal) {
      input.setRawMode?.(false)
      output.write('\n')
    }
    // Or it would keep the process.
    input.pause()
  }
}

function readLine(
  { input, interrupt }: Pick<Streams, 'input' | 'interrupt'>,
  isTerminal: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise(resolve => {
    let typed: string[] = []
    const end = (): void => {
      input.off('data', take).off('end', end)
      signal.removeEventListener('abort', stop)
      resolve(typed.length === 0 ? undefined : typed.join(''))
    }
    const stop = (): void => {
      typed = []
      end()
    }
    const take = (text: string): void => {
      for (const char of text) {
        if (char === '\r' || char === '\n') {
          end()
          return
        }
        if (isTerminal && (char === ctrlC || char === ctrlD)) {
          stop()
          // A terminal in this mode sends no signal by itself.
          if (char === ctrlC) interrupt()
          return
        }
        if (isTerminal && (char === '\u007f' || char === '\b')) typed.pop()
        else if (isTerminal && char === ctrlU) typed = []
        else typed.push(char)
      }
    }
    input.on('data', take).on('end', end)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  })
}
