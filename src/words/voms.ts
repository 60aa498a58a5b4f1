// GRID_VOMS: which VO, group and role a proxy is asked for. Pure; knows nothing of servers.

import { clean, Trouble } from './reason.ts'

export type VomsWish = {
  readonly vo: string
  /** what follows the colon for voms-proxy-init; undefined = what the VO gives to everyone */
  readonly command: string | undefined
}

/** `VO`, `VO:/VO/GROUP/Role=NAME`, several of them with spaces or commas between, as voms-proxy-init takes them.
 *  @returns Trouble('auth') for what could pass for an option or for a path */
export function parseVoms(text: string): readonly VomsWish[] | Trouble {
  const wishes: VomsWish[] = []
  for (const each of text.split(/[\s,]+/).filter(part => part !== '')) {
    const match = /^([A-Za-z0-9][A-Za-z0-9._-]{0,254})(?::([A-Za-z0-9/][A-Za-z0-9._/=:+-]{0,254}))?$/.exec(
      each,
    )
    const [, vo, command] = match ?? []
    if (vo === undefined)
      return new Trouble(
        'auth',
        `GRID_VOMS takes the name of a VO, like atlas or atlas:/atlas/Role=production, not ${JSON.stringify(clean(each, 80))}`,
      )
    wishes.push({ vo, command })
  }
  return wishes
}

/** What stands behind -voms. */
export function printWish({ vo, command }: VomsWish): string {
  return command === undefined ? vo : `${vo}:${command}`
}

/** Does a proxy with these VOs and FQANs hold what was asked for? The first that it lacks, else undefined. */
export function lacking(
  wishes: readonly VomsWish[],
  held: { readonly vos: readonly string[]; readonly fqans: readonly string[] } | undefined,
): VomsWish | undefined {
  const names = new Set((held?.fqans ?? []).map(shortFqan))
  return wishes.find(({ vo, command }) => {
    if (held === undefined || !held.vos.includes(vo)) return true
    // `all` and the old one-letter commands name nothing that could be looked for.
    if (command === undefined || !command.startsWith('/')) return false
    return !names.has(shortFqan(command)) && !names.has(shortFqan(`/${vo}${command}`))
  })
}

/** Without what says nothing: `/VO/Role=NULL/Capability=NULL` is `/VO`. */
export function shortFqan(fqan: string): string {
  return fqan.replace(/\/Capability=[^/]*$/, '').replace(/\/Role=NULL$/, '')
}
