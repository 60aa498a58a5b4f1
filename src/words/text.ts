// Bytes that a person's editor may have written -> text. Never guesses an encoding without a mark.

import { Trouble } from './reason.ts'

/** UTF-8 with or without BOM, UTF-16 with BOM; CRLF and CR become LF. A Trouble for bytes that are neither. */
export function decodeText(bytes: Uint8Array): string | Trouble {
  const label =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8'
  try {
    // TextDecoder leaves a byte order mark of the named encoding out by itself.
    const text = new TextDecoder(label, { fatal: true }).decode(bytes)
    return text.replace(/\r\n?/g, '\n')
  } catch (error) {
    return new Trouble('refused', `the text is not ${label}`, error)
  }
}

/** JSON.parse as a value: the thing, or a Trouble with a sentence. */
export function parseJson(text: string): { readonly json: unknown } | Trouble {
  try {
    return { json: JSON.parse(text) }
  } catch (error) {
    return new Trouble(
      'refused',
      `the text is not JSON: ${error instanceof Error ? error.message : ''}`,
      error,
    )
  }
}

/** A plain object from unknown JSON, or undefined. Keys may be anything: read known ones only. */
export function asObject(json: unknown): Record<string, unknown> | undefined {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
    ? (json as Record<string, unknown>)
    : undefined
}

/** A whole number of bytes in the range that a file may have: 0 to 16 TiB (facts/faults.md 1b). */
export function isBytes(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= 2 ** 44
}

/** A count or a sum of bytes over many files: beyond 16 TiB, but still counted exactly. */
export function isTotal(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

export function isAdler32(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}$/.test(value)
}

export function isMd5(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value)
}
