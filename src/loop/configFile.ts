// config.json as it counts: read when it has settled, kept while it does not parse. Never writes it.

import { layout, type Root } from '../disk/layout.ts'
import { readUserText, type Stat, statRegular } from '../disk/read.ts'
import { type Config, defaultConfig, parseConfig } from '../words/config.ts'
import { sentence, Trouble } from '../words/reason.ts'

export type ConfigFile = {
  look(): Promise<void>
  /** undefined when it does not parse and no good reading is known: then nothing is fetched (DESIGN.md rule 2) */
  current(): Config | undefined
  readonly fallback: Config
  problems(): readonly string[]
}

export function openConfigFile(root: Root): ConfigFile {
  const path = layout.config(root)
  let stat: Stat | undefined
  let good: Config | undefined
  let problem: string | undefined
  let first = true
  let counted = false

  async function look(): Promise<void> {
    const now = await lookAt()
    if (now === 'refused') return
    const same =
      now !== undefined && stat !== undefined && now.size === stat.size && now.mtimeMs === stat.mtimeMs
    const settled = same || first || now === undefined
    if (same && counted) return
    stat = now
    first = false
    counted = false
    if (!settled) return
    counted = true
    const found = now === undefined ? undefined : await readUserText(root, path)
    const config =
      found === undefined ? defaultConfig : found instanceof Trouble ? found : parseConfig(found.text)
    if (config instanceof Trouble) {
      problem = `config.json: ${sentence(config.reason, config.detail)}`
      return
    }
    good = config
    problem = undefined
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
