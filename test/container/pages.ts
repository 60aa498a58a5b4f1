// The commands of a page, as they stand there: each block of code with the heading above it. For the test that runs them. Never runs
// any itself, and changes nothing in them.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export type Block = {
  readonly heading: string
  /** each ends with a newline */
  readonly text: string
}

/** @param page Markdown. Code is what stands between fences, or is indented by four blanks after an empty line */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = []
  let heading = ''
  let fence = ''
  let lines: string[] | undefined
  let blank = true
  const close = () => {
    const text = lines?.join('\n').trimEnd()
    if (text !== undefined && text !== '') blocks.push({ heading, text: `${text}\n` })
    lines = undefined
  }
  for (const line of page.split('\n')) {
    if (fence !== '') {
      if (line.startsWith(fence)) {
        close()
        fence = ''
      } else lines?.push(line)
    } else if (/^(```+|~~~+)/.test(line)) {
      close()
      fence = /^(`+|~+)/.exec(line)?.[0] ?? ''
      lines = []
    } else if (line.startsWith('    ') && (lines !== undefined || blank)) {
      lines ??= []
      lines.push(line.slice(4))
    } else if (line.trim() === '') {
      lines?.push('')
    } else {
      close()
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading
    }
    blank = line.trim() === ''
  }
  close()
  return blocks
}

// pages.js PAGE DIR: writes each block into DIR/1, DIR/2, …, and prints `NUMBER<TAB>HEADING` for each.
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , page = '', dir = ''] = process.argv
  mkdirSync(dir)
  for (const [i, { heading, text }] of blocksOf(readFileSync(page, 'utf8')).entries()) {
    writeFileSync(join(dir, String(i + 1)), text)
    console.log(`${i + 1}\t${heading}`)
  }
}
