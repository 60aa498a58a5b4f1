// The one gate for names from outside: text -> DID or a Trouble. Never decides what a name is good for.

import { Trouble } from './reason.ts'

/** A data identifier. Text form: `scope:name`. */
export type Did = { readonly scope: string; readonly name: string }

const printable = /^[\x21-\x7e]+$/

/** Reads `name` or `scope:name` (DESIGN.md rule 5). A bare name gets its scope from Rucio's own default rule. */
export function parseDid(text: string): Did | Trouble {
  const colon = text.indexOf(':')
  if (colon >= 0) {
    if (text.includes(':', colon + 1)) return bad(text, 'it has more than one colon')
    return makeDid(text.slice(0, colon), text.slice(colon + 1))
  }
  const name = cutSlash(text)
  const scope = defaultScope(name)
  if (scope === undefined) return bad(text, 'its scope cannot be told: write scope:name')
  return makeDid(scope, name)
}

/** The same check for a scope and a name that come apart, as the catalogue gives them. */
export function makeDid(scope: string, wholeName: string): Did | Trouble {
  const name = cutSlash(wholeName)
  const text = `${scope}:${name}`
  if (scope === '' || name === '') return bad(text, 'a part of it is empty')
  if (scope.length > 25) return bad(text, 'its scope is over 25 characters')
  if (name.length > 250) return bad(text, 'its name is over 250 characters')
  if (!printable.test(scope) || !printable.test(name))
    return bad(text, 'it has characters other than printable ASCII')
  if (scope.includes(':') || name.includes(':')) return bad(text, 'it has more than one colon')
  if (/[*?]/.test(text)) return bad(text, 'wildcards are not taken: give one name')
  if (/[/\\]/.test(scope) || scope === '.' || scope === '..') return bad(text, 'its scope is no scope')
  const components = (name.startsWith('/') ? name.slice(1) : name).split('/')
  if (components.some(each => each === '.' || each === '..')) return bad(text, 'it has a component . or ..')
  if (components.includes('')) return bad(text, 'it has an empty component')
  return { scope, name }
}

export function printDid(did: Did): string {
  return `${did.scope}:${did.name}`
}

/** Rucio's `extract_scope_default`: `user.jdoe` of user.jdoe.x, else the first field (facts/rucio.md 4).
 *  undefined where a name has fewer fields than that. */
export function defaultScope(name: string): string | undefined {
  const fields = name.split('.')
  if (name.startsWith('user') || name.startsWith('group')) {
    const [first = '', second = ''] = fields
    return first === '' || second === '' ? undefined : `${first}.${second}`
  }
  const [first = ''] = fields
  return first === '' ? undefined : first
}

function cutSlash(name: string): string {
  return name.length > 1 && name.endsWith('/') ? name.slice(0, -1) : name
}

function bad(text: string, why: string): Trouble {
  return new Trouble('refused', `the name ${JSON.stringify(text.slice(0, 80))} cannot be taken: ${why}`)
}
