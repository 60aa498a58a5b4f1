// Lines into a new file of staging/, gathered to larger writes. Never writes over a file, and never renames one.

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Trouble } from '../words/reason.ts'
import { toDisk } from './way.ts'

const gatheredBytes = 256 * 2 ** 10

/** A new file that grows. Whoever opens it closes it, and removes it when it is of no use. */
export class Output {
  readonly #handle: FileHandle
  #gathered: string[] = []
  #gatheredLength = 0
  #bytes = 0
  #isOpen = true

  private constructor(handle: FileHandle) {
    this.#handle = handle
  }

  static async open(path: string): Promise<Output> {
    try {
      // O_EXCL: nobody's file is written over, and a link that was planted there is not followed.
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
      return new Output(await open(path, flags, 0o666))
    } catch (error) {
      throw toDisk(error)
    }
  }

  async write(text: string): Promise<void> {
    this.#gathered.push(text)
    this.#gatheredLength += text.length
    if (this.#gatheredLength >= gatheredBytes) await this.flush()
  }

  async flush(): Promise<void> {
    const bytes = Buffer.from(this.#gathered.join(''))
    this.#gathered = []
    this.#gatheredLength = 0
    try {
      // appendFile goes on after a short write, which write() does not.
      await this.#handle.appendFile(bytes)
      this.#bytes += bytes.length
    } catch (error) {
      throw toDisk(error)
    }
  }

  /** Everything is written and synced, and the file's size is the one that was meant. */
  async finish(): Promise<void> {
    await this.flush()
    try {
      await this.#handle.sync()
      const { size } = await this.#handle.stat()
      if (size !== this.#bytes)
        throw new Trouble('disk_full', `only ${size} of ${this.#bytes} bytes could be written`)
    } catch (error) {
      throw toDisk(error)
    }
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#handle.close()
  }
}
