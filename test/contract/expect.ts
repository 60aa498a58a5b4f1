// What the answers of Rucio have in common, each checked in one place: errors, single objects, lists.

import * as assert from 'uvu/assert'
import type { Answer, Facts, SeededFile } from './subject.ts'

export type Line = Readonly<Record<string, unknown>>

/** A single object: 200, application/json, a Content-Length. */
export function object(answer: Answer): Line {
  assert.is(answer.status, 200)
  assert.is(answer.headers['content-type'], 'application/json')
  assert.is(answer.headers['content-length'], String(answer.body.length))
  return JSON.parse(answer.body.toString('utf8')) as Line
}

/** A list: one JSON value a line, each ended by a newline, chunked; an empty one says Content-Length: 0 instead. */
export function list<Item = Line>(answer: Answer): Item[] {
  assert.is(answer.status, 200)
  assert.is(answer.headers['content-type'], 'application/x-json-stream')
  assert.is(answer.cut, false)
  const text = answer.body.toString('utf8')
  if (text === '') {
    assert.is(answer.headers['content-length'], '0')
    assert.is(answer.headers['transfer-encoding'], undefined)
    return []
  }
  assert.is(answer.headers['transfer-encoding'], 'chunked')
  assert.is(text.endsWith('\n'), true, 'the last line ends in a newline')
  return text
    .slice(0, -1)
    .split('\n')
    .map(line => JSON.parse(line) as Item)
}

/** Rucio's own error: class and message as headers and as body, under a content type that does not say JSON. */
export function rucioError(answer: Answer, status: number, exceptionClass: string, message?: string): void {
  assert.is(answer.headers['exceptionclass'], exceptionClass)
  assert.is(answer.status, status)
  assert.is(answer.headers['content-type'], 'application/octet-stream')
  const body = JSON.parse(answer.body.toString('utf8')) as Line
  assert.equal(keysOf(body), ['ExceptionClass', 'ExceptionMessage'])
  assert.is(body['ExceptionClass'], exceptionClass)
  if (message !== undefined) assert.is(body['ExceptionMessage'], message)
  // The header has the text on one line, cut.
  const header = String(answer.headers['exceptionmessage'])
  assert.is(header.length <= 128, true)
  assert.is(oneLine(String(body['ExceptionMessage'])).startsWith(oneLine(header).slice(0, 100)), true)
}

export function keysOf(line: Line): string[] {
  return Object.keys(line).sort()
}

export function didOf(line: Line): string {
  return `${line['scope']}:${line['name']}`
}

/** All files of a DID as the catalogue counts them: a file of two datasets twice. */
export function filesOf<File extends SeededFile>(facts: Facts<File>, did: string): File[] {
  const children = facts.containers.get(did)
  if (children !== undefined) return children.flatMap(child => filesOf(facts, child))
  const files = facts.datasets.get(did)
  if (files === undefined) throw new Error(`the seed has no ${did}`)
  return [...files]
}

export function sumOf(files: readonly SeededFile[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0)
}

/** The file of the seed that a line of an answer speaks of. */
export function fileOf(facts: Facts, line: Line): SeededFile {
  for (const files of facts.datasets.values()) {
    const found = files.find(file => file.scope === line['scope'] && file.name === line['name'])
    if (found !== undefined) return found
  }
  throw new Error(`the seed has no file ${didOf(line)}`)
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
