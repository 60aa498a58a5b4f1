// The DIDs that the contract speaks of: every seed must have them, each with what its name says. Sizes are the seed's own.

const mc = (name: string) => ({ scope: 'mc16_13TeV', name: `mc16_13TeV.${name}` })

/** a closed dataset of five files, the second of 65537 bytes; all at XRD1 and XRD2 */
export const small = mc('361107.Zmumu.DAOD_PHYS.e3601_s3126_r10201_p5855_tid01')
/** an open dataset of two files */
export const large = mc('361107.Zmumu.DAOD_PHYS.e3601_s3126_r10201_p5855_tid02')
/** a container of these two */
export const box = mc('361107.Zmumu.DAOD_PHYS.e3601_s3126_r10201_p5855')
/** a container of `box` and of `emptyBox` */
export const nested = mc('361107.Zmumu.nested')
export const emptyBox = mc('000009.emptycontainer')
export const empty = mc('000001.empty_tid03')
/** one of its two files has no replica */
export const lost = mc('000002.lost_tid04')
/** one file, at XRD2 only, where a byte of it is wrong */
export const onlyBad = mc('000004.onlybad_tid06')
/** two files, at XRD1 only */
export const xrd1Only = mc('000007.xrd1only_tid09')
/** one file on TAPE1 only, one at XRD1 too */
export const tape = mc('000010.tape_tid11')
/** files without bytes, without adler32, without md5, without both */
export const odd = { scope: 'user.jdoe', name: 'user.jdoe.odd.v1' }
/** one name in two scopes */
export const sameName = { scope: 'user.jdoe', name: 'user.jdoe.samename.v1' }
export const slashes = { scope: 'user.jdoe', name: 'user.jdoe/with/slashes.v1' }

export const firstFile = { scope: 'mc16_13TeV', name: 'DAOD_PHYS.01._000001.pool.root.1' }
export const secondFile = { scope: 'mc16_13TeV', name: 'DAOD_PHYS.01._000002.pool.root.1' }
export const zeroFile = { scope: 'user.jdoe', name: 'user.jdoe.zero.txt' }
export const slashFile = { scope: 'user.jdoe', name: '/user.jdoe/sub/two.root' }
export const badFile = { scope: 'mc16_13TeV', name: 'onlybad.06._000001.root' }
export const nobody = { scope: 'mc16_13TeV', name: 'no.such.dataset' }

export function key(did: { readonly scope: string; readonly name: string }): string {
  return `${did.scope}:${did.name}`
}

/** `/dids/SCOPE/NAME`, encoded. */
export function path(did: { readonly scope: string; readonly name: string }): string {
  return `/dids/${encodeURIComponent(did.scope)}/${encodeURIComponent(did.name)}`
}
