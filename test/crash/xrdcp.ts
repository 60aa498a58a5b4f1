// An xrdcp for the practice grid, which speaks no XRootD: a script that goes on from the length of its file as the real one does, and asks
// the storage's own port over https. Never checks what it gets.

import { writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** @param dir an existing directory, not DATA
 *  @returns PATH with it */
export async function playXrdcp(dir: string): Promise<string> {
  await writeFile(join(dir, 'xrdcp'), script, { mode: 0o755 })
  return [dir, process.env['PATH'] ?? ''].join(delimiter)
}

const script = `#!${process.execPath}
const fs = require('node:fs')
const { request } = require('node:https')
const [source, path] = process.argv.slice(-2)
const [, host, port, at] = /^root:\\/\\/\\[?([^/\\]]+?)\\]?:(\\d+)(\\/.*)$/.exec(source)
const file = fs.openSync(path, 'r+')
let to = fs.fstatSync(file).size
const fail = (code, line) => { console.error('Run: ' + line); process.exit(code) }
const ask = (method, range, then) => {
  const headers = range === undefined ? {} : { range }
  const sent = request({ host, port, path: at, method, headers, agent: false, rejectUnauthorized: false }, then)
  sent.on('error', () => fail(51, '[FATAL] Socket error: connection reset by peer:  (source)'))
  sent.end()
}
ask('HEAD', undefined, head => {
  if (head.statusCode !== 200) fail(54, '[ERROR] Server responded with an error: [3011] Unable to open; no such file')
  const size = Number(head.headers['content-length'])
  if (to >= size) return process.exit(0)
  ask('GET', 'bytes=' + to + '-' + (size - 1), body => {
    if (body.statusCode !== 206) fail(54, '[ERROR] Server responded with an error: [3012] ' + body.statusCode)
    body.on('data', chunk => { fs.writeSync(file, chunk, 0, chunk.length, to); to += chunk.length })
    body.on('end', () => process.exit(0))
    body.on('error', () => fail(51, '[FATAL] Socket error: connection reset by peer:  (source)'))
  })
})
`
