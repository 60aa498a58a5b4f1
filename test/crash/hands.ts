// What a person does by hand in DATA while the daemon works, is dead or starts. Tells the model what follows.

import {
  appendFile,
  lstat,
  open,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../../src/words/reason.ts'
import type { Chance } from './chance.ts'
import type { Looks } from './looks.ts'
import type { Model } from './model.ts'
import type { Known } from './universe.ts'

export type Hand = {
  readonly data: string
  readonly model: Model
  readonly chance: Chance
  readonly looks: Looks
}

export async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}

export function requestOf(data: string, name: string): string {
  return join(data, 'requests', `${name}.json`)
}

/** A request is edited: another priority, paused, or broken and (by a later call) good again. */
export async function editRequest(hand: Hand, { name }: Known): Promise<void> {
  const { data, model, chance } = hand
  const path = requestOf(data, name)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined || text.includes('"remove"')) return
  const kind = chance.between(0, 4)
  const next =
    kind === 0
      ? `{"priority": ${chance.between(0, 9)}, "mine": "kept"`
      : kind === 1
        ? '{"paused": true}\r\n'
        : `\ufeff{"priority": ${chance.between(0, 9)}, "mine": "kept"}`
  if (await replaceText(hand, path, next)) model.count('edit')
}

/** As editors do: over the old text, or by a rename.
 *  @returns false when it went away meanwhile */
async function replaceText({ chance }: Hand, path: string, text: string): Promise<boolean> {
  if (chance.is(0.5)) {
    const other = `${path}.tmp`
    await writeFile(other, text)
    // A request that was moved away in between comes back as a wish: that is what a person's editor does too.
    await rename(other, path)
    return true
  }
  try {
    const handle = await open(path, 'r+')
    try {
      await handle.truncate(0)
      if (chance.is(0.3)) await sleep(chance.between(1, 60))
      await handle.write(text, 0)
    } finally {
      await handle.close()
    }
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/** All texts that are paused or broken become good ones. */
export async function mendAll({ data }: Hand): Promise<void> {
  for (const file of await readdir(join(data, 'requests'))) {
    if (!file.endsWith('.json')) continue
    const path = join(data, 'requests', file)
    const text = await readFile(path, 'utf8').catch(() => '{}')
    // A removal that waits is none of these, though its request was paused before.
    if (/"remove": true/.test(text)) continue
    if (/"paused": true/.test(text) || !/\}\s*$/.test(text)) await mend(path)
  }
}

async function mend(path: string): Promise<void> {
  try {
    await writeFile(path, '{"mended": true}\n', { flag: 'r+' })
    await truncate(path, 17)
  } catch (error) {
    // Whole meanwhile, so that it has moved.
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** The request of something that is wanted is deleted. */
export async function dropRequest({ data, model }: Hand, { name }: Known): Promise<void> {
  try {
    await unlink(requestOf(data, name))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  model.count('request deleted')
  // A request over a whole dataset was a repair, or a wish that came twice.
  model.is(name, 'left')
}

/** A dataset's whole folder is deleted. */
export async function dropFolder({ data, model }: Hand, { name }: Known): Promise<void> {
  const isWanted = await isThere(requestOf(data, name))
  const folder = join(data, name)
  if (!isWanted && !(await isThere(join(folder, '.rucio', 'request.json')))) return
  model.disturbed.add(name)
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 })
  for (const key of [...model.harm.keys()]) if (key.startsWith(`${name}/`)) model.harm.delete(key)
  model.count('folder deleted')
  // Its request may have moved into the folder meanwhile, and gone with it.
  if (!isWanted || !(await isThere(requestOf(data, name)))) model.is(name, 'gone')
}

/** A file of a whole dataset is deleted, cut or changed. */
export async function harmFile({ data, model, chance, looks }: Hand, known: Known): Promise<void> {
  const { name } = known
  if (await isThere(requestOf(data, name))) return
  if (!(await isThere(join(data, name, '.rucio', 'request.json')))) return
  const file = chance.of([...known.files.values()].filter(each => each.bytes > 100 && each.bytes < 2 ** 22))
  if (file === undefined) return
  const path = join(data, name, file.path)
  const key = `${name}/${file.path}`
  const stat = await lstat(path).catch(() => undefined)
  // Nobody can tell what was written within the 2 s that an mtime may differ by.
  if (stat === undefined || Date.now() - stat.mtimeMs < 3000) return
  model.disturbed.add(name)
  const kind = chance.between(0, 3)
  if (kind === 0) await unlink(path)
  else if (kind === 1) await truncate(path, file.bytes >> 1)
  else {
    const handle = await open(path, 'r+')
    await handle.write(Buffer.from('changed by hand'), 0, 15, 20)
    await handle.close()
    await utimes(path, new Date(), new Date())
  }
  const sum = (await looks.sum(path))?.adler32 ?? 'absent'
  model.wasHarmed.add(name)
  model.harm.set(key, { sum, at: performance.now(), inPlace: kind !== 0 })
  model.count('file harmed')
  model.is(name, 'harmed')
}

let lists = 0

/** A file that asks for one to three datasets is dropped into watch/. */
export async function dropIntoWatch({ data, model, chance }: Hand, all: readonly Known[]): Promise<void> {
  const [first] = all
  if (first === undefined) return
  const file =
    all.length > 1 || chance.is(0.3) ? `list ${++lists}` : `${first.name}${chance.is(0.5) ? '.txt' : ''}`
  if (model.drops.has(file)) return
  const names = all.map(each => each.name)
  for (const name of names) model.may(name, 'whole')
  const stem = file.replace(/\.txt$/, '')
  const path = join(data, 'watch', file)
  const text = file.startsWith('list') ? `# wanted\r\n${all.map(each => each.did).join('\n')}` : ''
  if (chance.is(0.5)) await writeFile(path, text)
  else {
    await writeFile(`${path}.part`, text.slice(0, 5))
    await appendFile(`${path}.part`, text.slice(5))
    await rename(`${path}.part`, path)
  }
  // Only now: an answer of an earlier one of this name must not pass for this one's.
  model.drops.set(stem, names)
  model.dropped.set(stem, names)
  model.count('drop')
}

/** Files of watch/ that have their answer: their wishes are acknowledged. */
export async function seeAnswers({ data, model }: Hand): Promise<void> {
  if (model.drops.size === 0) return
  const there = await readdir(join(data, 'watch'))
  for (const [stem, names] of model.drops) {
    const waits = there.includes(stem) || there.includes(`${stem}.txt`)
    const answer = there.find(
      file => file.startsWith(`${stem}.`) && /\.(downloading|local|does_not_exist)$/.test(file),
    )
    if (waits || answer === undefined) continue
    model.drops.delete(stem)
    for (const name of names) model.is(name, 'whole')
    model.answered()
  }
}

/** What a person had changed in a file that was mended since lies in aside/.
 *  @returns what does not */
export async function keptAside({ data, model, looks }: Hand): Promise<readonly string[]> {
  const lost: string[] = []
  for (const [key, { sum, over }] of model.harm) {
    const [name = '', path = ''] = key.split('/')
    const there = await looks.sum(join(data, name, path))
    if (over || sum === 'absent' || there?.adler32 === sum) continue
    const folders = [join(data, name, '.rucio', 'aside'), join(data, name, 'aside')]
    const sums: (string | undefined)[] = []
    for (const folder of folders)
      for (const file of await readdir(folder).catch(() => []))
        if (file.startsWith(`${path}.`)) sums.push((await looks.sum(join(folder, file)))?.adler32)
    if (!sums.includes(sum)) lost.push(`what a person wrote into ${key} is not in aside/`)
  }
  return lost
}

/** In the end each file that was dropped into watch/ bears the worst word of its datasets.
 *  @returns those that do not */
export async function wrongAnswers({ data, model }: Hand): Promise<readonly string[]> {
  const there = await readdir(join(data, 'watch'))
  const wrong: string[] = []
  for (const [stem, all] of model.dropped) {
    // What was removed or harmed since has another word, and an answer may be older than that.
    if (!all.every(name => model.isOnly(name, 'whole'))) continue
    const word = all.some(name => !model.get(name).exists) ? 'does_not_exist' : 'local'
    if (!there.includes(`${stem}.${word}`))
      wrong.push(`${stem} is to be ${word}: ${there.filter(each => each.startsWith(stem)).join(', ')}`)
  }
  return wrong
}

/** What was answered lies in requests/ or is done, at every instant.
 *  @returns what does not */
export async function wishesKept({ data, model }: Hand): Promise<readonly string[]> {
  const lost: string[] = []
  for (const { name, exists } of model.all) {
    if (model.isAwaited(name)) continue
    const text = await readFile(requestOf(data, name), 'utf8').catch(() => undefined)
    const isDone = await isThere(join(data, name, '.rucio', 'request.json'))
    if (model.isOnly(name, 'whole') && exists && text === undefined && !isDone)
      lost.push(`${name} was asked for, and no request lies there`)
    if (model.isOnly(name, 'gone') && text !== undefined && !text.includes('"remove": true'))
      lost.push(`${name} was removed, and a request lies there: ${text}`)
    if (model.isOnly(name, 'gone') && text === undefined && isDone)
      lost.push(`${name} was removed, and lies there`)
  }
  return lost
}
