// Which addresses a server may send us to: not to this machine, its neighbours on the wire or a cloud's metadata. Never connects.

import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { networkInterfaces } from 'node:os'
import { Trouble } from '../words/reason.ts'

// An IPv4 address inside an IPv6 one (::ffff:127.0.0.1) is found by the IPv4 rules: BlockList looks into it.
const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addSubnet('0.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')
loopback.addAddress('::', 'ipv6')

const never = new BlockList()
never.addSubnet('169.254.0.0', 16, 'ipv4')
never.addSubnet('fe80::', 10, 'ipv6')
// Metadata services of clouds that are not link-local: Alibaba, Azure, AWS over IPv6.
never.addAddress('100.100.100.200', 'ipv4')
never.addAddress('168.63.129.16', 'ipv4')
never.addAddress('fd00:ec2::254', 'ipv6')
// Broadcast and multicast are no hosts.
never.addSubnet('224.0.0.0', 3, 'ipv4')
never.addSubnet('ff00::', 8, 'ipv6')

let loopbackAllowed = false
let ownPorts: ReadonlySet<number> = new Set()

/** Said once by main.ts: may data come from loopback (only when the catalogue itself is there), and where do we listen ourselves? */
export function setLoopbackAllowed(allowed: boolean, ports: ReadonlySet<number>): void {
  loopbackAllowed = allowed
  ownPorts = ports
}

/** A host name that means this machine, before anything is resolved. */
export function isLoopbackName(host: string): boolean {
  const family = isIP(host)
  if (family !== 0) return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')
  return /^(.*\.)?localhost\.?$/i.test(host)
}

/** Throws Trouble('refused') for a literal address that may not be asked; a name is looked at when it is resolved. */
export function refuseLiteral(host: string, port: number): void {
  if (isIP(host) !== 0 && isRefused(host, port)) throw refusal(host, host)
}

/** A `lookup` for http.request that hands on only addresses that may be asked. */
export function guardedLookup(port: number): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, [])
      const good = found.filter(each => !isRefused(each.address, port))
      const [first] = good
      if (first === undefined) return callback(refusal(host, found[0]?.address ?? 'nothing'), [])
      if (options.all === true) return callback(null, good)
      return callback(null, first.address, first.family)
    })
  }
}

/** For a program that looks names up by itself: is there an address of this host that it may ask? What it finds a moment later, and where
 *  a server sends it, is out of our hands.
 *  @throws Trouble('refused'); what the look-up throws */
export async function refuseAddress(host: string, port: number): Promise<void> {
  refuseLiteral(host, port)
  if (isIP(host) !== 0) return
  await new Promise<void>((resolve, reject) =>
    guardedLookup(port)(host, { all: true }, error => (error === null ? resolve() : reject(error))),
  )
}

/** Does this machine have an address that leads anywhere else? */
export function hasNetwork(): boolean {
  return addressesOfThisMachine().some(
    each => !each.internal && !never.check(each.address, each.family === 'IPv4' ? 'ipv4' : 'ipv6'),
  )
}

function isRefused(address: string, port: number): boolean {
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
  if (never.check(address, family)) return true
  const here = loopback.check(address, family)
  if (here && !loopbackAllowed) return true
  if (!ownPorts.has(port)) return false
  return here || addressesOfThisMachine().some(each => each.address === address)
}

function refusal(host: string, address: string): Trouble {
  const shown = host === address ? host : `${host} (${address})`
  return new Trouble(
    'refused',
    `${shown} is an address of this machine or its wire, which no server may send us to`,
  )
}

function addressesOfThisMachine(): { address: string; family: string; internal: boolean }[] {
  return Object.values(networkInterfaces()).flatMap(each => each ?? [])
}
