// A TCP relay in front of a storage, which limits the rate of each connection, falls silent when it is told, and counts what it passes on. Never looks at the bytes.

import { connect, createServer, type Socket } from 'node:net'

export type Relay = {
  readonly port: number
  /** bytes from the storage to the client so far, TLS included */
  passed(): number
  /** connections that are open now */
  open(): number
  /** nothing more is passed on to the clients, and nothing is closed */
  hold(): void
  stop(): Promise<void>
}

/** @param options.listen 0 = a free port
 *  @param options.rate bytes a second of each connection towards the client; 0 = no limit
 *  @throws the listen error as it is */
export async function openRelay(options: {
  readonly listen: number
  readonly target: number
  readonly rate: number
}): Promise<Relay> {
  let passed = 0
  let held = false
  const clients = new Set<Socket>()
  const server = createServer(client => {
    const storage = connect(options.target, '127.0.0.1')
    clients.add(client)
    const began = performance.now()
    let sent = 0
    client.on('data', chunk => storage.write(chunk))
    storage.on('data', chunk => {
      if (held) return
      sent += chunk.length
      passed += chunk.length
      client.write(chunk)
      if (options.rate === 0) return
      const earlyMs = (sent / options.rate) * 1000 - (performance.now() - began)
      if (earlyMs <= 1) return
      storage.pause()
      setTimeout(() => storage.resume(), earlyMs)
    })
    // The end of one side is the end of both, whatever the cause: a storage that was killed looks like this from outside.
    const end = (): void => {
      clients.delete(client)
      client.destroy()
      storage.destroy()
    }
    for (const side of [client, storage]) side.on('error', end).on('close', end)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.listen, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    passed: () => passed,
    open: () => clients.size,
    hold() {
      held = true
    },
    async stop() {
      for (const client of clients) client.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
