// A zip archive of given members, made in memory by the format's own words; and what a hostile one looks like.

import { crc32, deflateRawSync } from 'node:zlib'

export type Member = {
  readonly name: string
  readonly bytes: Uint8Array
  readonly packed?: boolean
  /** size that the directory says it has */
  readonly claims?: number
  readonly encrypted?: boolean
  /** CRC-32 that the archive says it has */
  readonly crc32?: number
}

export function zipOf(members: readonly Member[]): Buffer {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const member of members) {
    const name = Buffer.from(member.name)
    const plain = member.packed === true ? deflateRawSync(member.bytes) : Buffer.from(member.bytes)
    // What is encrypted has 12 bytes in front.
    const body = member.encrypted === true ? Buffer.concat([Buffer.alloc(12), plain]) : plain
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(member.encrypted === true ? 1 : 0, 2)
    common.writeUInt16LE(member.packed === true ? 8 : 0, 4)
    common.writeUInt32LE(member.crc32 ?? crc32(member.bytes), 10)
    common.writeUInt32LE(body.length, 14)
    common.writeUInt32LE(member.claims ?? member.bytes.length, 18)
    common.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, name, body])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(at, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, name]))
    bodies.push(local)
    at += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(members.length, 8)
  end.writeUInt16LE(members.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...bodies, central, end])
}
