// What must hold of some datasets in a data directory at every instant, looked at from outside with sums of its own. Never writes, and
// believes no record of the daemon's.

import { lstat, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { adler32, printAdler32 } from '../../src/words/adler32.ts'
import { codeOf } from '../../src/words/reason.ts'
import { isGood, sumsOf } from './bytes.ts'
import type { TrueFile } from './seeded.ts'

export type Wanted = { readonly did: string; readonly name: string; readonly files: readonly TrueFile[] }

export type Watch = {
  /** while a daemon is at work, or none is: names, whole files, markers, sidecars */
  look(): Promise<void>
  /** while none is: the bytes that sidecars count, too */
  lookDead(): Promise<void>
  /** when everything has come and the last daemon has ended: that nothing is left */
  lookDone(): Promise<void>
  readonly faults: readonly string[]
  /** how often it was looked, and at how many files under their final names anew */
  counts(): { readonly looks: number; readonly summed: number }
}

export function openWatch(data: string, wanted: readonly Wanted[]): Watch {
  const faults: string[] = []
  /** path -> the file that has this name: another one would have been fetched again */
  const named = new Map<string, number>()
  let looks = 0

  async function look(): Promise<void> {
    looks += 1
    const allowed = new Set(['.rucio', 'requests', 'watch', 'config.json', ...wanted.map(({ name }) => name)])
    for (const name of await readdir(data)) if (!allowed.has(name)) faults.push(`${name} lies in DATA`)
    for (const each of wanted) await dataset(each)
  }

  async function dataset({ name, files }: Wanted): Promise<void> {
    const here = await entries(join(data, name))
    const rucios = here.filter(entry => entry !== '.rucio' && entry !== 'INCOMPLETE.txt')
    for (const entry of rucios) {
      const file = files.find(each => each.name === entry)
      if (file === undefined) faults.push(`${name}/${entry} lies there`)
      else await finalFile(name, file)
    }
    if (rucios.length > 0 && !here.includes('INCOMPLETE.txt'))
      if (!(await entries(join(data, name, '.rucio'))).includes('complete'))
        faults.push(`${name} has files, and neither INCOMPLETE.txt nor complete`)
    for (const { path, sidecar, size } of await sidecarsOf(name)) {
      const ends = sidecar.ranges.map(({ to }) => to)
      if (Math.max(0, ...ends) > size) faults.push(`${path} counts more than its part's ${size} bytes`)
    }
  }

  async function finalFile(name: string, file: TrueFile): Promise<void> {
    const path = join(data, name, file.name)
    const { ino } = await lstat(path)
    const before = named.get(path)
    if (before === ino) return
    if (before !== undefined) faults.push(`${name}/${file.name} was there, and came again`)
    named.set(path, ino)
    if (!isGood(file, await sumsOf(path))) faults.push(`${name}/${file.name} has its name, and is not right`)
  }

  async function sidecarsOf(name: string): Promise<Found[]> {
    const folder = join(data, name, '.rucio', 'parts')
    const found: Found[] = []
    for (const entry of await entries(folder))
      if (entry.endsWith('.json')) {
        const path = join(folder, entry)
        const part = path.replace(/json$/, 'part')
        try {
          const sidecar = JSON.parse(await readFile(path, 'utf8')) as Sidecar
          found.push({ path, part, sidecar, size: (await lstat(part)).size })
        } catch (error) {
          // The file has its final name by now, or has failed before its first byte.
          if (codeOf(error) !== 'ENOENT') throw error
        }
      }
    return found
  }

  return {
    faults,
    look,
    async lookDead() {
      await look()
      for (const { name } of wanted)
        for (const { path, part, sidecar } of await sidecarsOf(name))
          for (const { from, to, adler32: sum } of sidecar.ranges)
            if ((await sumOfRange(part, from, to)) !== sum)
              faults.push(`${path} counts ${from}-${to}, and these bytes are others`)
    },
    async lookDone() {
      await look()
      for (const { name, files } of wanted) {
        for (const file of files)
          if (!named.has(join(data, name, file.name))) faults.push(`${name}/${file.name} is not there`)
        const here = await entries(join(data, name))
        if (here.includes('INCOMPLETE.txt')) faults.push(`${name} has INCOMPLETE.txt still`)
        const records = (await entries(join(data, name, '.rucio'))).sort().join(' ')
        if (records !== 'complete listing.jsonl parts request.json verified.jsonl')
          faults.push(`${name}/.rucio holds ${records}`)
        const parts = await entries(join(data, name, '.rucio', 'parts'))
        if (parts.length > 0) faults.push(`${name} has parts still: ${parts.join(' ')}`)
      }
      const requests = await entries(join(data, 'requests'))
      if (requests.length > 0) faults.push(`requests/ holds ${requests.join(' ')}`)
      for (const folder of ['staging', 'trash'])
        for (const boot of await entries(join(data, '.rucio', folder)))
          for (const left of await entries(join(data, '.rucio', folder, boot)))
            faults.push(`.rucio/${folder}/${boot}/${left} is left`)
      const boots = await entries(join(data, '.rucio', 'staging'))
      if (boots.length > 1) faults.push(`staging/ of other lives is left: ${boots.join(' ')}`)
    },
    counts: () => ({ looks, summed: named.size }),
  }
}

type Sidecar = {
  readonly ranges: readonly { readonly from: number; readonly to: number; readonly adler32: string }[]
}
type Found = {
  readonly path: string
  readonly part: string
  readonly sidecar: Sidecar
  readonly size: number
}

/** None where there is no such folder. */
async function entries(dir: string): Promise<string[]> {
  return readdir(dir).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
}

async function sumOfRange(path: string, from: number, to: number): Promise<string> {
  const file = await open(path)
  try {
    const block = Buffer.alloc(2 ** 20)
    let sum = 1
    for (let at = from; at < to; ) {
      const { bytesRead } = await file.read(block, 0, Math.min(block.length, to - at), at)
      if (bytesRead === 0) return 'cut'
      sum = adler32(sum, block.subarray(0, bytesRead))
      at += bytesRead
    }
    return printAdler32(sum)
  } finally {
    await file.close()
  }
}
