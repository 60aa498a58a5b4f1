// A Unix socket that its owner alone may open. Never takes the place of a daemon that still answers there, nor of anything but a socket.

import { chmod, lstat, unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { codeOf } from '../words/reason.ts'

/** @param path absolute; what a killed daemon has left there goes
 *  @throws EADDRINUSE when somebody answers there or it is no socket; the listen error as it is (ENOENT, EACCES) */
export async function listenSocket(server: Server, path: string): Promise<void> {
  await clear(path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // The socket is made within listen(), with what umask leaves: nobody else can connect before a chmod.
    const umask = process.umask(0o177)
    try {
      server.listen({ path }, () => {
        server.off('error', reject)
        server.on('error', () => undefined)
        resolve()
      })
    } finally {
      process.umask(umask)
    }
  })
  await chmod(path, 0o600)
}

async function clear(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isSocket()) throw taken(`${path} is there and is no socket`)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  if (await answers(path)) throw taken(`${path} is in use`)
  await unlink(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ path })
    const tell = (there: boolean): void => {
      socket.destroy()
      resolve(there)
    }
    socket.once('connect', () => tell(true))
    // ECONNREFUSED is what a dead one says; anything else may be a living one that is busy (EAGAIN) or not ours.
    socket.once('error', error => tell(codeOf(error) !== 'ECONNREFUSED'))
  })
}

function taken(message: string): Error {
  return Object.assign(new Error(message), { code: 'EADDRINUSE' })
}
