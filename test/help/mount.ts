// File systems for the tests that need one of their own: a tmpfs, a bind mount. Says whether this user may mount, and takes down what it
// put up.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const mounted: string[] = []

/** @returns false where that is for root alone */
export function mayMount(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'desktop-rucio-mount-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir])
  if (status === 0) spawnSync('umount', [dir])
  rmdirSync(dir)
  return status === 0
}

/** mount with these arguments; the last is the mount point. */
export function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`)
  const place = args.at(-1) ?? ''
  if (!args.some(each => each.includes('remount'))) mounted.push(place)
}

/** Away from its place at once, though files in it are open. */
export function unmount(place: string): void {
  const { status, stderr } = spawnSync('umount', ['-l', place], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`umount ${place}: ${stderr}`)
  mounted.splice(mounted.lastIndexOf(place), 1)
}

/** All that is still up. */
export function unmountAll(): void {
  for (const place of [...mounted].reverse()) unmount(place)
}
