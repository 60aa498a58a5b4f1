// A disk that fails: calls of this process answer with an error for a while. Never touches a file.

import fs from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/** @param isBroken by default every call is
 *  @returns undoes it, and tells how often it was called */
export async function breakDisk(
  call: 'write' | 'datasync' | 'appendFile',
  code: 'ENOSPC' | 'EIO',
  isBroken: (handle: FileHandle, args: readonly unknown[]) => boolean = () => true,
): Promise<() => number> {
  const handle = await open('/dev/null', 'r')
  const shared: FileHandle = Object.getPrototypeOf(handle)
  await handle.close()
  const whole = Object.getOwnPropertyDescriptor(shared, call)
  const calling: (...args: unknown[]) => Promise<unknown> = whole?.value
  let calls = 0
  Object.defineProperty(shared, call, {
    configurable: true,
    writable: true,
    async value(this: FileHandle, ...args: unknown[]) {
      if (!isBroken(this, args)) return await calling.apply(this, args)
      calls++
      throw Object.assign(new Error(code), { code, syscall: call })
    },
  })
  return () => {
    if (whole !== undefined) Object.defineProperty(shared, call, whole)
    return calls
  }
}

/** Calls of this process for paths that `isBroken` answer with an error until it is undone.
 *  @returns undoes it */
export function breakPaths(
  call: 'lstat' | 'open',
  code: 'EIO' | 'EACCES' | 'Unknown system error -116',
  isBroken: (path: string) => boolean,
): () => void {
  const whole = fs.promises[call]
  const calling = whole as (path: string, ...rest: unknown[]) => Promise<unknown>
  const put = (now: unknown): void => {
    Object.assign(fs.promises, { [call]: now })
    syncBuiltinESMExports()
  }
  put(async (path: string, ...rest: unknown[]) => {
    if (isBroken(path)) throw Object.assign(new Error(code), { code, syscall: call })
    return await calling(path, ...rest)
  })
  return () => put(whole)
}
