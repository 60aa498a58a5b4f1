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

const settleMs = 2000

export function openConfigFile(root: Root): ConfigFile {
  const path = layout.config(root)
  /** what the looks agree on, undefined = no such file; and since when */
  let last: { readonly stat: Stat | undefined; readonly at: number } | undefined
  let good: Config | undefined
  let problem: string | undefined
  let counted = false

  async function look(now: number): Promise<number | undefined> {
    const stat = await lookAt()
    if (stat === 'refused') return undefined
    const first = last === undefined
    if (last === undefined || !sameStat(last.stat, stat) || last.at > now) {
      last = { stat, at: now }
      counted = false
    }
    if (counted) return undefined
    const left = last.at + settleMs - now
    if (!first && left > 0) return left
    counted = true
    const found = stat === undefined ? undefined : await readUserText(root, path)
    const config =
      found === undefined ? defaultConfig : found instanceof Trouble ? found : parseConfig(found.text)
    if (config instanceof Trouble) problem = `config.json: ${sentence(config.reason, config.detail)}`
    else {
      good = config
      problem = undefined
    }
    return undefined
  }

  async function lookAt(): Promise<Stat | undefined | 'refused'> {
    try {
      return await statRegular(root, path)
    } catch (error) {
      if (!(error instanceof Trouble)) throw error
      problem = `config.json: ${sentence(error.reason, error.detail)}`
      return 'refused'
    }
  }

  return { look, current: () => good, fallback: defaultConfig, problems: () => (problem ? [problem] : []) }
}
