// The texts of the programs that played.ts lays down. They ask the storage's own port over https, with the names and ways of the real
// ones (xrdcp 5.5.3, client 41.5.1), and never check what they get.

/** Every script begins so: it says that it runs, in a file of its pid. */
export function startOf(pids: string): string {
  return `#!${process.execPath}
const fs = require('node:fs')
const { request } = require('node:https')
const pidPath = ${JSON.stringify(pids)} + '/' + process.pid
fs.writeFileSync(pidPath, '')
process.on('exit', () => fs.rmSync(pidPath, { force: true }))
const ask = (method, to, more, then) => {
  const { body, ...options } = more
  const sent = request(to, { method, agent: false, rejectUnauthorized: false, ...options }, then)
  sent.on('error', error => then(undefined, error))
  sent.end(body)
}
`
}

/** `--continue`: goes on from the length of its file; `-f`: from its start. */
export const xrdcpScript = `
const [source, path] = process.argv.slice(-2)
const [, host, port, at] = /^root:\\/\\/\\[?([^/\\]]+?)\\]?:(\\d+)\\/(\\/.*)$/.exec(source)
const file = fs.openSync(path, process.argv.includes('-f') ? 'w' : 'r+')
let to = fs.fstatSync(file).size
const fail = (code, line) => { console.error('Run: ' + line); process.exit(code) }
const reset = () => fail(51, '[FATAL] Socket error: connection reset by peer:  (source)')
const url = 'https://' + host + ':' + port + at
ask('HEAD', url, {}, head => {
  if (head === undefined) reset()
  if (head.statusCode !== 200) fail(54, '[ERROR] Server responded with an error: [3011] Unable to open; no such file')
  const size = Number(head.headers['content-length'])
  if (to >= size) return process.exit(0)
  ask('GET', url, { headers: { range: 'bytes=' + to + '-' + (size - 1) } }, body => {
    if (body === undefined) reset()
    if (body.statusCode !== 206) fail(54, '[ERROR] Server responded with an error: [3012] ' + body.statusCode)
    body.on('data', chunk => { fs.writeSync(file, chunk, 0, chunk.length, to); to += chunk.length })
    body.on('end', () => process.exit(0))
    body.on('error', reset)
  })
})
`

/** `--legacy download` of one file: asks the catalogue with the token that it was given, makes its folder if that has gone, two tries of
 *  each address into NAME.part, which goes before each and is mostly left by the last; and an exit code that says nothing. */
export const rucioScript = `
const { spawn } = require('node:child_process')
const path = require('node:path')
const args = process.argv.slice(2)
const value = name => args.includes(name) ? args[args.indexOf(name) + 1] : undefined
const cfg = fs.readFileSync(process.env.RUCIO_CONFIG, 'utf8')
const setting = name => new RegExp('^' + name + ' = (.*)$', 'm').exec(cfg)[1]
const did = args.at(-1)
const [scope, name] = did.split(':')
const dir = value('--dir')
const part = path.join(dir, name + '.part')
const say = text => console.error(text)
const lies = () => Math.random() < 0.5
const broken = 'DEBUG The requested service is not available at the moment.\\nDetails: connection closed'
const none = () => {
  say('ERROR None of the requested files have been downloaded.')
  process.exit(lies() ? 0 : 75)
}

const byHttps = url => new Promise(resolve => ask('GET', url, {}, body => {
  if (body === undefined || body.statusCode !== 200) return resolve(false)
  const file = fs.openSync(part, 'w')
  body.on('data', chunk => fs.writeSync(file, chunk))
  body.on('end', () => { fs.closeSync(file); resolve(true) })
  body.on('error', () => { if (lies()) fs.rmSync(part, { force: true }); resolve(false) })
}))
const byXrdcp = url => new Promise(resolve => {
  const child = spawn(process.execPath, [path.join(path.dirname(process.argv[1]), 'xrdcp'), '-f', url, part])
  child.on('close', code => resolve(code === 0))
})

async function bring(urls) {
  fs.mkdirSync(dir, { recursive: true })
  for (const url of urls)
    for (let attempt = 1; attempt <= 2; attempt++) {
      fs.rmSync(part, { force: true })
      const came = url.startsWith('root:') ? byXrdcp(url) : byHttps(url.replace(/^davs/, 'https'))
      if (await came) {
        fs.renameSync(part, path.join(dir, name))
        say('INFO File ' + did + ' successfully downloaded in 0.1 seconds')
        process.exit(lies() ? 0 : 76)
      }
      say(broken)
      say('WARNING Download attempt failed. Try ' + attempt + '/2')
    }
  say('ERROR Failed to download file ' + did)
  none()
}

const body = JSON.stringify({ dids: [{ scope, name }], rse_expression: value('--rses') })
const token = fs.readFileSync(setting('auth_token_file_path'), 'utf8')
ask('POST', setting('rucio_host') + '/replicas/list', {
  headers: { 'x-rucio-auth-token': token, accept: 'application/x-json-stream' },
  body,
}, answer => {
  let text = ''
  if (answer === undefined) { say('ERROR Cannot connect to the Rucio server'); process.exit(lies() ? 0 : 1) }
  answer.on('data', chunk => { text += chunk })
  answer.on('error', none)
  answer.on('end', () => {
    if (answer.statusCode !== 200) { say('ERROR cannot get an auth token: ' + text); process.exit(1) }
    if (text === '') { say('ERROR No available source found for ' + did); none() }
    bring(Object.keys(JSON.parse(text).pfns))
  })
})
`
