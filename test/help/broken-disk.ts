// A disk that fails: calls of every FileHandle of this process answer with an error for a while. Never touches a file.

import { type FileHandle, open } from 'node:fs/promises'

/** @returns undoes it, and tells how often it was called */
export async function breakDisk(call: 'write' | 'datasync', code: 'ENOSPC' | 'EIO'): Promise<() => number> {
  const handle = await open('/dev/null', 'r')
  const shared: FileHandle = Object.getPrototypeOf(handle)
  await handle.close()
  const whole = Object.getOwnPropertyDescriptor(shared, call)
  let calls = 0
  Object.defineProperty(shared, call, {
    configurable: true,
    writable: true,
    async value() {
      calls++
      throw Object.assign(new Error(code), { code, syscall: call })
    },
  })
  return () => {
    if (whole !== undefined) Object.defineProperty(shared, call, whole)
    return calls
  }
}
