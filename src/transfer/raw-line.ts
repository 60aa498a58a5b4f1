// A TLS connection of our own whose bytes land where its reader wants them: no parser and no copy between. Never knows what they mean,
// and never sends what its user did not hand it.

import { isIP, type TcpNetConnectOpts } from 'node:net'
import { type ConnectionOptions, connect, type SecureContext, type TLSSocket } from 'node:tls'
import { guardedLookup, refuseLiteral } from '../outside/address.ts'
import { lineTrouble, noteConnected } from '../outside/errors.ts'
import { serverCheck } from '../outside/verified.ts'
import { hostPort, type Pfn } from '../words/pfn.ts'
import { Trouble } from '../words/reason.ts'

/** One read of the connection takes at most so much. */
export const readBytes = 64 * 1024

// Node's types know these of net.connect() alone; tls.connect() hands them on (tried on Node 20, 22 and 24).
type Options = ConnectionOptions &
  Pick<TcpNetConnectOpts, 'onread' | 'autoSelectFamily' | 'autoSelectFamilyAttemptTimeout'>

export type Reader = {
  /** where the next bytes of the connection go */
  room(): Uint8Array
  /** so many are there. @returns false = read no more until resume() */
  came(bytes: number): boolean
  /** the connection is of no use any more */
  broke(error: unknown): void
}

/** One connection, kept by a lane from range to range. */
export class RawLine {
  readonly #scratch = Buffer.allocUnsafeSlow(readBytes)
  #socket: TLSSocket | undefined
  #reader: Reader | undefined
  #context: SecureContext | undefined
  #place = ''

  /** Connected to this host with this credential, as it was left after a whole answer? */
  isOpenTo(pfn: Pfn, context: SecureContext): boolean {
    return this.#socket?.writable === true && this.#place === hostPort(pfn) && this.#context === context
  }

  /** open, and nobody waits for anything of it */
  get isIdle(): boolean {
    return this.#socket?.writable === true && this.#reader === undefined
  }

  open(pfn: Pfn, context: SecureContext, reader: Reader): void {
    this.close()
    refuseLiteral(pfn.host, pfn.port)
    this.#place = hostPort(pfn)
    this.#context = context
    const options: Options = {
      host: pfn.host,
      port: pfn.port,
      ...(isIP(pfn.host) === 0 ? { servername: pfn.host } : {}),
      secureContext: context,
      checkServerIdentity: serverCheck(context),
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      lookup: guardedLookup(pfn.port),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 2_500,
      onread: {
        buffer: () => this.#reader?.room() ?? this.#scratch,
        callback: (bytes: number) => this.#came(bytes),
      },
    }
    const socket = connect(options)
    socket.setKeepAlive(true, 30_000)
    socket.setNoDelay(true)
    socket.once('secureConnect', () => noteConnected(pfn.host))
    socket.on('error', error => this.#broke(socket, lineTrouble(error, pfn)))
    socket.on('close', () =>
      this.#broke(socket, new Trouble('host_down', `${hostPort(pfn)} closed the connection`)),
    )
    this.#socket = socket
    this.#reader = reader
  }

  onConnected(call: () => void): void {
    this.#socket?.once('secureConnect', call)
  }

  send(text: string, reader: Reader): void {
    this.#reader = reader
    this.#socket?.write(text, 'latin1')
  }

  resume(): void {
    this.#socket?.resume()
  }

  /** The reader has all it wanted; the connection stays, and is read again where a pause had stopped that. */
  release(): void {
    this.#reader = undefined
    this.#socket?.resume()
  }

  close(): void {
    this.#reader = undefined
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }

  get scratch(): Buffer {
    return this.#scratch
  }

  #came(bytes: number): boolean {
    if (this.#reader !== undefined) return this.#reader.came(bytes)
    // Nobody asked for these: whatever they are, the next answer cannot be told from them.
    this.close()
    return false
  }

  #broke(socket: TLSSocket, error: unknown): void {
    if (socket !== this.#socket) return
    const reader = this.#reader
    this.close()
    reader?.broke(error)
  }
}
