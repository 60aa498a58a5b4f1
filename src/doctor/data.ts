// The data directory: can it be written, is there room, does it tell of files that are written? Takes no lease, and leaves nothing behind.

import { hearsEvents } from '../disk/events.ts'
import { layout, type Root } from '../disk/layout.ts'
import { readUserText } from '../disk/read.ts'
import { checkRoot, freeBytes, probeWrite } from '../disk/root.ts'
import { bad, type Finding, good, skipped, warning } from '../words/checkup.ts'
import { defaultConfig, parseConfig } from '../words/config.ts'
import { codeOf, sentence, Trouble, toTrouble } from '../words/reason.ts'
import type { Needs } from './needs.ts'

const eventMs = 2_000
const gib = 2 ** 30

export async function checkData({ root, options }: Needs): Promise<readonly Finding[]> {
  if ('message' in root && root.isEmpty)
    return [
      warning(
        'data directory',
        'It is empty; the first start makes it a data directory.',
        'Is its disk mounted?',
      ),
    ]
  if ('message' in root)
    return [bad('data directory', root.message, 'Name the right one with --data; it must exist.')]
  try {
    if ((await checkRoot(root)) === 'missing')
      return [
        bad('data directory', `${root.dir} is not there any more, or was emptied.`, 'Mount its disk again.'),
      ]
    if (root.readOnly === true)
      return [
        bad('data directory', `${root.dir} is of a newer version of desktop-rucio.`, 'Update desktop-rucio.'),
      ]
    const written = await probeWrite(root)
    const first =
      written === 'ready'
        ? good('data directory', `${root.dir} can be written (id ${root.id}).`)
        : bad('data directory', `${root.dir} cannot be written (${written}).`, sentence(written, ''))
    return [
      first,
      await checkSpace(root),
      await checkConfig(root),
      await checkEvents(root, options, written === 'ready'),
    ]
  } catch (error) {
    const { reason, detail } = toTrouble(error)
    return [bad('data directory', `${root.dir}: ${detail}.`, sentence(reason, ''))]
  }
}

async function checkSpace(root: Root): Promise<Finding> {
  const found = await readUserText(root, layout.config(root))
  const config = found === undefined || found instanceof Trouble ? undefined : parseConfig(found.text)
  const reserve = (config === undefined || config instanceof Trouble ? defaultConfig : config).reserve_bytes
  const free = await freeBytes(root)
  const text = `${(free / gib).toFixed(1)} GiB are free, ${(reserve / gib).toFixed(1)} GiB of them are left alone.`
  if (free <= reserve)
    return bad('free space', text, 'Free some space, or lower reserve_bytes in config.json.')
  return free < reserve + 10 * gib
    ? warning('free space', text, 'A dataset has often more than 10 GiB: make room before you ask for it.')
    : good('free space', text)
}

async function checkConfig(root: Root): Promise<Finding> {
  const check = 'config.json'
  const found = await readUserText(root, layout.config(root))
  if (found === undefined) return good(check, 'There is none; the defaults count.')
  if (found instanceof Trouble)
    return bad(check, `${found.detail}.`, 'Mend it; nothing is fetched until then.')
  const parsed = parseConfig(found.text)
  if (parsed instanceof Trouble)
    return bad(check, `${parsed.detail}.`, 'Mend it; nothing is fetched until then.')
  return good(check, 'It can be read.')
}

async function checkEvents(root: Root, options: Needs['options'], isWritable: boolean): Promise<Finding> {
  const check = 'file events'
  if (!options.fileEvents) return skipped(check, 'They are off; what is written is found within 35 s.')
  if (options.watchPoll) return skipped(check, 'WATCH_POLL=1: files are looked at every 2 s.')
  if (!isWritable) return skipped(check, 'Nothing can be written here.')
  const advice =
    'Set WATCH_POLL=1; without it what is written into requests/ and watch/ is found within 35 s.'
  try {
    if (await hearsEvents(root, eventMs)) return good(check, 'A file that is written here is heard of.')
    return warning(check, 'This file system does not tell of files that are written.', advice)
  } catch (error) {
    return warning(
      check,
      `Files cannot be watched here (${codeOf(error) ?? toTrouble(error).detail}).`,
      advice,
    )
  }
}
