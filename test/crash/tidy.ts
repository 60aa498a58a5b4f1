// What may lie in DATA, and nothing else: no temporary name, no half record, every JSON parses. Reads only.

import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readListingHead, readListingLine } from '../../src/words/listing.ts'
import { readSidecar } from '../../src/words/part.ts'
import { Trouble } from '../../src/words/reason.ts'
import { parseRequest } from '../../src/words/request.ts'
import { readComplete, readVerifiedHead, readVerifiedLine } from '../../src/words/verified.ts'
import type { Model } from './model.ts'
import type { Known } from './universe.ts'

export type TidyOptions = {
  readonly data: string
  readonly model: Model
  /** `dead`: right after a kill, a last line may be half and staging/ holds what was being written.
   *  `rest`: nothing is under way any more */
  readonly when: 'dead' | 'rest'
}

/** @returns what lies there and should not */
export async function untidy(options: TidyOptions): Promise<readonly string[]> {
  const { data, model } = options
  const faults: string[] = []
  const tell = (text: string): void => {
    faults.push(text)
  }
  for (const name of await readdir(data)) {
    const known = model.all.find(each => each.name === name)
    if (known !== undefined) await dataset(options, known, tell)
    else if (!['requests', 'watch', 'config.json', '.rucio'].includes(name)) tell(`${name} lies in DATA`)
  }
  await requests(options, tell)
  await own(options, tell)
  return faults
}

type Tell = (text: string) => void

async function requests({ data, model, when }: TidyOptions, tell: Tell): Promise<void> {
  for (const file of await readdir(join(data, 'requests'))) {
    const [, name = '', rest = ''] = /^(.+?)\.json(.*)$/.exec(file) ?? []
    const text = await readFile(join(data, 'requests', file), 'utf8').catch(() => undefined)
    if (!model.all.some(each => each.name === name)) tell(`requests/${file} is of no dataset`)
    else if (rest.startsWith('.bad-') && parseRequest((text ?? '').replace('\ufeff', '')) instanceof Trouble)
      continue
    else if (rest === '.problem' && when === 'dead') continue
    else if (rest !== '') tell(`requests/${file} lies there`)
  }
}

async function own({ data, model, when }: TidyOptions, tell: Tell): Promise<void> {
  const dir = join(data, '.rucio')
  const owner = (await json(join(dir, 'owner.json'), tell)) as { boot_id?: string } | undefined
  if ((await json(join(dir, 'format.json'), tell)) === undefined) tell('format.json is not there')
  for (const name of await readdir(dir)) {
    const inside = name.endsWith('.json') ? [] : await readdir(join(dir, name))
    switch (name) {
      case 'format.json':
      case 'owner.json':
        break
      case 'catalogue':
        for (const file of inside)
          if (file.endsWith('.jsonl')) await listing(join(dir, name, file), file, tell)
          else if (!file.endsWith('.queued') || when === 'rest') tell(`.rucio/catalogue/${file} lies there`)
        break
      case 'hosts':
      case 'status':
        for (const file of inside)
          if (!file.endsWith('.json')) tell(`.rucio/${name}/${file} lies there`)
          else await json(join(dir, name, file), tell)
        break
      case 'logs':
        for (const file of inside)
          if (!/^(web_server|rucio_downloader|grid_cert)\.log(\.\d+)?$/.test(file))
            tell(`.rucio/logs/${file} lies there`)
        break
      case 'staging':
        // What a dead one staged goes at the next start.
        for (const boot of when === 'rest' ? inside : [])
          if (boot !== owner?.boot_id) tell(`.rucio/staging/${boot} is left of another life`)
          else
            for (const left of await readdir(join(dir, name, boot)))
              tell(`.rucio/staging/${boot}/${left} lies there`)
        break
      case 'trash':
        for (const left of inside)
          if (when === 'rest' || !model.all.some(each => each.name === left))
            tell(`.rucio/trash/${left} lies there`)
        break
      case 'lock':
        for (const left of inside) if (left !== 'daemon') tell(`.rucio/lock/${left} lies there`)
        break
      default:
        tell(`.rucio/${name} lies there`)
    }
  }
}

async function dataset({ data, model, when }: TidyOptions, known: Known, tell: Tell): Promise<void> {
  const { name } = known
  const dir = join(data, name)
  const records = join(dir, '.rucio')
  const all = await readdir(dir)
  const mayGo = model.ends(name).has('gone')
  const files = all.filter(each => each !== '.rucio' && each !== 'INCOMPLETE.txt')
  // After a removal a person's own bytes lie in aside/.
  const isTheirs = (file: string): boolean => model.wasHarmed.has(name) && /^aside(-\d+)?$/.test(file)
  const rucios = files.filter(file => !isTheirs(file))
  for (const file of rucios) if (!known.files.has(file)) tell(`${name}/${file} lies there`)
  if (!all.includes('.rucio')) {
    // A removal is under way, whatever was asked for since; or it was killed between the folder and its records.
    const isGoing = when === 'dead' && (await readdir(join(data, '.rucio', 'trash'))).includes(name)
    if (rucios.length > 0 && !isGoing) tell(`${name} has ${rucios.length} files and no .rucio`)
    if (when === 'rest' && all.some(file => !isTheirs(file))) tell(`${name} holds ${all.join(', ')}`)
    return
  }
  const inside = await readdir(records)
  for (const each of inside)
    if (!['listing.jsonl', 'verified.jsonl', 'parts', 'complete', 'request.json', 'aside'].includes(each))
      tell(`${name}/.rucio/${each} lies there`)
  await listing(join(records, 'listing.jsonl'), name, tell)
  await verified(join(records, 'verified.jsonl'), name, when, tell)
  const isComplete = inside.includes('complete')
  if (isComplete && readComplete(await json(join(records, 'complete'), tell)) === undefined)
    tell(`${name}: complete is no record`)
  if (!isComplete && rucios.length > 0 && !all.includes('INCOMPLETE.txt') && !mayGo)
    tell(`${name} has ${rucios.length} files, and neither INCOMPLETE.txt nor complete`)
  if (inside.includes('parts')) {
    const here = await readdir(join(records, 'parts'))
    await parts(join(records, 'parts'), here, known, tell)
    if (when === 'rest' && model.isOnly(name, 'whole') && here.length > 0)
      tell(`${name} is whole, and has parts: ${here.slice(0, 3).join(', ')}`)
  }
  if (when === 'rest' && model.isOnly(name, 'whole') && known.exists) {
    if (all.includes('INCOMPLETE.txt')) tell(`${name} is whole, and has INCOMPLETE.txt`)
    if (!isComplete || !inside.includes('request.json'))
      tell(`${name} is whole, and has ${inside.join(', ')} only`)
  }
}

async function parts(dir: string, here: readonly string[], known: Known, tell: Tell): Promise<void> {
  for (const file of here) {
    const [, path = '', suffix = ''] = /^(.*)\.(part|json)$/.exec(file) ?? []
    const of = known.files.get(path)
    if (of === undefined) tell(`${known.name}: part ${file} is of no file`)
    else if (suffix === 'json') {
      const sidecar = readSidecar(await json(join(dir, file), tell))
      if (sidecar === undefined || sidecar.did !== of.did || sidecar.bytes !== of.bytes)
        tell(`${known.name}: sidecar ${file} is of no use`)
    } else if ((await lstat(join(dir, file)).catch(() => undefined))?.isFile() !== true)
      tell(`${known.name}: ${file} is no file`)
  }
}

async function json(path: string, tell: Tell): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    tell(`${path} does not parse: ${JSON.stringify(text.slice(0, 80))}`)
    return undefined
  }
}

async function listing(path: string, name: string, tell: Tell): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return
  if (!text.endsWith('\n')) tell(`${name}: the listing ends in the middle of a line`)
  const [first = '', ...rest] = text.trimEnd().split('\n')
  const head = readListingHead(JSON.parse(first))
  const good = rest.filter(line => readListingLine(JSON.parse(line)) !== undefined)
  if (head === undefined || (head.type !== 'NONE' && head.length !== good.length))
    tell(`${name}: the listing is not whole`)
}

async function verified(path: string, name: string, when: TidyOptions['when'], tell: Tell): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const lines = text.split('\n')
  const last = lines.pop()
  if (last !== '' && when === 'rest') tell(`${name}: verified.jsonl ends in the middle of a line`)
  for (const [index, line] of lines.entries())
    if ((index === 0 ? readVerifiedHead : readVerifiedLine)(JSON.parse(line)) === undefined)
      tell(`${name}: line ${index + 1} of verified.jsonl is ${line.slice(0, 80)}`)
}
