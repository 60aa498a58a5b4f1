// The official client's rucio.cfg, read as Python's configparser reads it. Never interprets a value.

import { parse } from 'ini'

/** Keys of one section. */
export type Cfg = ReadonlyMap<string, string>

export function parseCfg(text: string, name = 'client'): Cfg {
  const found = new Map<string, string>()
  const section: unknown = parse(forIni(text))[name]
  if (typeof section !== 'object' || section === null) return found
  for (const [key, value] of Object.entries(section))
    if (['string', 'boolean', 'number'].includes(typeof value) || value === null)
      found.set(key.toLowerCase(), unquote(String(value)))
  return found
}

export function cfgValue(cfg: Cfg, key: string): string | undefined {
  return cfg.get(key)
}

const quoteMark = '\u0001'

/** ini cuts a value at `;` and `#` and takes quotes off; configparser does neither (a password may hold them), and it takes `:` for `=`.
 *  Section names with dots would become nested objects. */
function forIni(text: string): string {
  return text
    .split(/\r?\n/)
    .map(line => {
      if (/^\s*([#;]|$)/.test(line)) return ''
      const section = /^\s*\[([^\]]*)\]\s*$/.exec(line)
      if (section !== null) return `[${(section[1] ?? '').replace(/\./g, '\\.')}]`
      const pair = /^\s*([^=:]+?)\s*[=:]\s*(.*?)\s*$/.exec(line)
      if (pair === null) return ''
      return `${(pair[1] ?? '').replace(/\[\]$/, '')} = ${(pair[2] ?? '').replace(/["']/g, each => `${quoteMark}${each === '"' ? 'd' : 's'}`).replace(/[\\;#]/g, '\\$&')}`
    })
    .join('\n')
}

function unquote(value: string): string {
  return value.replaceAll(`${quoteMark}d`, '"').replaceAll(`${quoteMark}s`, "'").replaceAll('%%', '%')
}
