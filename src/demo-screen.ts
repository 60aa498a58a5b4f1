// Draws the progress of the demo: a bar for each file on a terminal, plain lines elsewhere. Never asks anybody anything.

import { type FileSeen, megabytes, news, type Seen } from './demo-seen.ts'

export type Screen = {
  /** draws what is seen now in the place of what was seen before; elsewhere writes what has changed */
  show(seen: Seen): void
  /** a line that stays, above the bars */
  say(line: string): void
  /** the bars stay as they are now; lines go below them */
  settle(): void
}

export type Output = {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

/** @param now ms; plain progress is written every 2 s, where there is some */
export function openScreen(output: Output, now: () => number): Screen {
  let before: Seen | undefined
  let drawn = 0
  let saidAt = now()
  let summaryBefore = ''

  function clear(): void {
    // Up to the first of our lines, and everything below it away.
    if (drawn > 0) output.write(`\x1b[${drawn}A\x1b[J`)
    drawn = 0
  }
  function draw(seen: Seen): void {
    const lines = rowsOf(seen, (output.columns ?? 80) - 1)
    output.write(`${lines.join('\n')}\n`)
    drawn = lines.length
  }
  return {
    say(line) {
      clear()
      output.write(`${line}\n`)
      if (before !== undefined && isBig(output, before)) draw(before)
    },
    show(seen) {
      if (isBig(output, seen)) {
        clear()
        draw(seen)
      } else {
        for (const line of news(before, seen)) output.write(`${line}\n`)
        const line = summary(seen)
        if (line !== summaryBefore && now() - saidAt >= 2000) {
          output.write(`${line}\n`)
          summaryBefore = line
          saidAt = now()
        }
      }
      before = seen
    },
    settle() {
      drawn = 0
      before = undefined
    },
  }
}

/** The rows of one picture, none longer than `columns`. */
export function rowsOf(seen: Seen, columns: number): readonly string[] {
  return [...seen.files.map(fileRow), '', summary(seen)].map(row => row.slice(0, columns))
}

function fileRow(file: FileSeen): string {
  const share = file.bytes === 0 ? Number(file.isDone) : file.soFar / file.bytes
  const full = Math.floor(share * barWidth)
  const bar = '█'.repeat(full) + '░'.repeat(barWidth - full)
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  // What tells the files of a dataset apart stands at their end.
  const name =
    file.name.length > nameWidth ? `…${file.name.slice(1 - nameWidth)}` : file.name.padEnd(nameWidth)
  return `${name} ${bar} ${percent} ${megabytes(file.bytes).padStart(8)}  ${said(file)}`.trimEnd()
}

function said(file: FileSeen): string {
  if (file.isDone) return 'verified'
  if (file.rate !== null) return `${megabytes(file.rate)}/s ${file.rse ?? ''}`
  return file.trouble ?? ''
}

function summary(seen: Seen): string {
  const done = seen.files.filter(file => file.isDone).length
  const rate = seen.rate === null ? '' : `, ${megabytes(seen.rate)}/s`
  const eta = seen.etaSeconds === null ? '' : `, ${seen.etaSeconds} s left`
  const why = seen.message === null ? '' : ` (${seen.message})`
  return `${seen.state}: ${done} of ${seen.files.length} files, ${megabytes(seen.soFar)} of ${megabytes(seen.total)}${rate}${eta}${why}`
}

// With these a row of 79 columns has room for a rate and a storage.
const barWidth = 16
const nameWidth = 23

/** A terminal that holds all the bars. */
function isBig(output: Output, seen: Seen): boolean {
  return output.isTTY === true && (output.rows ?? 24) > seen.files.length + 3
}
