// The programs that transfers and credentials use: are they there, and of which version? Runs them with --version alone.

import { programFinder } from '../outside/find.ts'
import { runProgram } from '../outside/program.ts'
import { bad, type Finding, good, skipped, warning } from '../words/checkup.ts'
import { clean, toTrouble } from '../words/reason.ts'
import type { Needs } from './needs.ts'

const versionMs = 8_000
/** Installed where users' shells do not look. */
const sbin = ':/usr/local/sbin:/usr/sbin:/sbin'

type Tool = {
  readonly name: string
  readonly env: Readonly<Record<string, string>>
  /** what its absence means; undefined = nothing needs it here */
  readonly absent: 'bad' | 'warning' | undefined
  readonly what: string
  readonly advice: string
}

export async function checkTools(needs: Needs, signal: AbortSignal): Promise<readonly Finding[]> {
  return await Promise.all(toolsOf(needs).map(tool => checkTool(tool, signal)))
}

function toolsOf({ options, env }: Needs): readonly Tool[] {
  const path = env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'
  const child = { PATH: path, LC_ALL: 'C', ...(env['HOME'] === undefined ? {} : { HOME: env['HOME'] }) }
  const { certUpdate, maker, client } = options
  return [
    {
      name: 'voms-proxy-init',
      env: child,
      absent: maker === undefined ? undefined : 'bad',
      what: 'no proxy can be made',
      advice: 'Install it (apt install voms-clients, dnf install voms-clients-cpp).',
    },
    {
      name: 'xrdcp',
      env: child,
      absent: 'warning',
      what: 'files that only XRootD (root://) offers do not come',
      advice: 'Install it (apt install xrootd-client, dnf install xrootd-client).',
    },
    {
      name: client.program ?? 'rucio',
      env: child,
      absent: 'warning',
      what: 'files that only other schemes offer (srm, gsiftp, file) do not come',
      advice: 'Install the official client (pip install rucio-clients), or name its program with --client.',
    },
    {
      name: 'fetch-crl',
      env: { ...child, PATH: path + sbin },
      absent: certUpdate.off || certUpdate.command !== undefined ? undefined : 'warning',
      what: 'revocation lists are not renewed',
      advice: 'Install it (apt install fetch-crl, dnf install fetch-crl), or set CERT_UPDATE_COMMAND.',
    },
  ]
}

async function checkTool(tool: Tool, signal: AbortSignal): Promise<Finding> {
  const { name } = tool
  const place = await programFinder(name, tool.env['PATH'])()
  if (place === undefined) {
    const text = `There is no ${name} here: ${tool.what}.`
    if (tool.absent === 'bad') return bad(name, text, tool.advice)
    if (tool.absent === 'warning') return warning(name, text, tool.advice)
    return skipped(name, `There is no ${name} here, and nothing needs it.`)
  }
  try {
    const ask = { program: place, args: ['--version'], env: tool.env, cwd: '/', timeoutMs: versionMs }
    const { code, stdout, stderr, timedOut } = await runProgram(ask, signal)
    const version = /\d+(?:\.\d+)+\S*/.exec(`${stdout}\n${stderr}`)?.[0]
    if (timedOut || version === undefined)
      return warning(
        name,
        timedOut
          ? `${place} did not say its version within ${versionMs / 1000} s.`
          : `${place} says no version (code ${code}): ${clean(stderr.trim(), 120)}`,
        `Run it by hand: ${place} --version`,
      )
    return good(name, `${version}, ${place}`)
  } catch (error) {
    signal.throwIfAborted()
    return warning(name, `${place} cannot be run: ${toTrouble(error).detail}`, 'Install it anew.')
  }
}
