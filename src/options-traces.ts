// Whether and where traces are sent, by the official client's names and one of our own. Never sends one.

import type { TraceOptions } from './catalogue/traces.ts'
import { type Cfg, cfgValue } from './rucioCfg.ts'
import { type Env, nonEmpty } from './words/env.ts'

/** trace_host of the section [trace] (RUCIO_CFG_TRACE_TRACE_HOST), else the Rucio server; DESKTOP_RUCIO_TRACES=0 sends none.
 *  @returns a sentence where the host is no address */
export function readTraces(trace: Cfg, rucioHost: string, env: Env): TraceOptions | string | undefined {
  if (/^(0|no|off|false)$/i.test(env['DESKTOP_RUCIO_TRACES'] ?? '')) return undefined
  const host =
    nonEmpty(env['RUCIO_CFG_TRACE_TRACE_HOST']) ?? nonEmpty(cfgValue(trace, 'trace_host')) ?? rucioHost
  if (!/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/i.test(host))
    return `trace_host is an address like https://rucio.example.org, not ${JSON.stringify(host.slice(0, 80))}; DESKTOP_RUCIO_TRACES=0 sends no traces`
  const { SITE_NAME, ATLAS_SITE_NAME, OSG_SITE_NAME } = env
  return {
    host,
    localSite: nonEmpty(SITE_NAME) ?? nonEmpty(ATLAS_SITE_NAME) ?? nonEmpty(OSG_SITE_NAME) ?? 'ROAMING',
  }
}
