// A data directory for the tests of this room, without openRoot(), which has tests of its own.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Root } from '../../src/disk/layout.ts'
import { temporary } from '../help/data.ts'

/** DATA with format.json and requests/. Fenced only when told so: then owner.json names this root. */
export async function dataDir({
  fenced = false,
  dir,
}: {
  fenced?: boolean
  dir?: string
} = {}): Promise<Root> {
  const root: Root = { dir: dir ?? (await temporary()), id: 'test-id', bootId: 'boot-a', fenced }
  await mkdir(join(root.dir, '.rucio'))
  await mkdir(join(root.dir, 'requests'))
  await writeFile(
    join(root.dir, '.rucio', 'format.json'),
    JSON.stringify({ format: 1, id: root.id, scope_rule: 'default' }),
  )
  if (fenced) await own(root, root.bootId)
  return root
}

/** owner.json names a boot. */
export async function own(root: Root, bootId: string): Promise<void> {
  const record = {
    format: 1,
    boot_id: bootId,
    host: 'here',
    pid: 1,
    url: null,
    started: '2026-01-01T00:00:00Z',
  }
  await writeFile(join(root.dir, '.rucio', 'owner.json'), JSON.stringify(record))
}
