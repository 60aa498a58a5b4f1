// config.json as it counts: read when it has settled, kept while it does not parse. Never writes it.

import { layout, type Root } from '../disk/layout.ts'
import { readUserText, type Stat, sameStat, statRegular } from '../disk/read.ts'
import { type Config, defaultConfig, parseConfig } from '../words/config.ts'
import { sentence, Trouble } from '../words/reason.ts'

export type ConfigFile = {
  /** Two looks 2 s apart agree, then it counts; at the start at once (DESIGN.md rule 8).
   *  @param now ms since 1970
   *  @returns ms until it may have settled; undefined when nothing waits for that */
  look(now: number): Promise<number | undefined>
  /** undefined when it does not parse and no good reading is known: then nothing is fetched (DESIGN.md rule 2) */
  current(): Config | undefined
  readonly fallback: Config
  problems(): readonly string[]
}

type Look = Stat | undefined | 'refused'
type Found = Awaited<ReturnType<typeof readUserText>>

const settleMs = 2000

export function openConfigFile(root: Root): ConfigFile {
  const path = layout.config(root)
  /** what the looks agree on, undefined = no such file; and since when */
  let last: { readonly stat: Look; readonly at: number } | undefined
  let good: Config | undefined
  let problem: string | undefined
  let counted = false

  async function look(now: number): Promise<number | undefined> {
    const stat = await lookAt()
    const first = last === undefined
    if (last === undefined || !isSame(last.stat, stat) || last.at > now) {
      last = { stat, at: now }
      counted = false
    }
    if (counted || stat === 'refused') return undefined
    const left = last.at + settleMs - now
    if (!first && left > 0) return left
    const found = stat === undefined ? undefined : await text()
    // A right that is given later changes neither size nor time: until then it is read at each look.
    counted = found !== 'no right'
    const config = configOf(found)
    if (config instanceof Trouble) problem = `config.json: ${sentence(config.reason, config.detail)}`
    else {
      good = config
      problem = undefined
    }
    return undefined
  }

  async function text(): Promise<Found | 'no right'> {
    try {
      return await readUserText(root, path)
    } catch (error) {
      if (error instanceof Trouble && error.reason === 'read_only') return 'no right'
      throw error
    }
  }

  async function lookAt(): Promise<Look> {
    try {
      return await statRegular(root, path)
    } catch (error) {
      if (!(error instanceof Trouble && error.reason === 'refused')) throw error
      problem = `config.json: ${sentence(error.reason, error.detail)}`
      return 'refused'
    }
  }

  return { look, current: () => good, fallback: defaultConfig, problems: () => (problem ? [problem] : []) }
}

function configOf(found: Found | 'no right'): Config | Trouble {
  if (found === undefined) return defaultConfig
  if (found === 'no right') return new Trouble('refused', 'this daemon has no right to read it')
  return found instanceof Trouble ? found : parseConfig(found.text)
}

function isSame(a: Look, b: Look): boolean {
  if (a === 'refused' || b === 'refused') return a === b
  return sameStat(a, b)
}
