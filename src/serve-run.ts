// The rooms wired together under the lease, until told to end or broken; then each is closed in its order. Holds no rule of its own.

import { openCredential } from './credential/credential.ts'
import { ruleTimes } from './decide/rule.ts'
import type { Root } from './disk/layout.ts'
import type { Lease } from './disk/lease.ts'
import { openLogs } from './disk/logs.ts'
import { openDoctor } from './doctor.ts'
import { openGridCert } from './gridCert.ts'
import { auditTimes, openAudit } from './loop/audit.ts'
import { openConfigFile } from './loop/configFile.ts'
import type { Daemon } from './loop/daemon.ts'
import { openDataWatch } from './loop/dataWatch.ts'
import { noHints, openHints } from './loop/hints.ts'
import { startLoop } from './loop/loop.ts'
import { retryRefused } from './loop/newCredential.ts'
import { openReplicaBook } from './loop/replicaBook.ts'
import { openCatalogueRest } from './loop/rest.ts'
import { openWorks } from './loop/work.ts'
import type { ServeOptions } from './options.ts'
import { pause, whenAborted } from './outside/abort.ts'
import { setLoopbackAllowed } from './outside/request.ts'
import { keepAuthorities } from './serve-authorities.ts'
import { connectRucio } from './serve-login.ts'
import { programsOf } from './serve-programs.ts'
import { connectTraces } from './serve-traces.ts'
import { openTransfer } from './transfer/engine.ts'
import type { Site, Web } from './web/server.ts'
import { openAccept } from './wishes/accept.ts'
import { openWatchFolder } from './wishes/watch.ts'
import type { World } from './words/world.ts'

/** SIGTERM ends within 5 s (DESIGN.md); what has not ended by then loses nothing that was synced. With 4 s for the parts, whose sync a
 *  busy disk makes slow, the rest took it to 4.8 s. */
const endMs = 3500

export type Streams = { readonly say: (line: string) => void; readonly complain: (line: string) => void }

export type Ground = {
  readonly root: Root
  readonly web: Web
  readonly world: World
  readonly signal: AbortSignal
  readonly streams: Streams
  readonly version: string
}

type Tenure = {
  readonly lease: Lease
  /** rejects when another daemon has taken over */
  readonly lost: Promise<never>
  /** what the web may see from now on */
  readonly open: (site: Site) => void
}

/** Works until the signal of `ground` fires. @throws Fenced when `lost` does; what broke the loop */
export async function run(
  options: ServeOptions,
  { root, web, world, signal, streams, version }: Ground,
  { lease, lost, open }: Tenure,
): Promise<void> {
  const logs = openLogs(root, world)
  for (const secret of options.secrets) logs.hide(secret)
  const { log } = logs
  const { maker } = options
  const gridCert = openGridCert(
    await openCredential(options.credential, world),
    maker === undefined ? undefined : { options: maker, hide: secret => logs.hide(secret) },
    log,
    world,
  )
  const { credential } = gridCert
  const { rucio, ...login } = connectRucio(options.rucio, {
    credential,
    log,
    world,
    ring: gridCert.asked,
    loggedIn() {
      daemon.catalogue.answered()
      gridCert.asked()
      wake(true)
    },
  })
  setLoopbackAllowed(rucio.onLoopback, new Set(web.ports))
  const traces = connectTraces(options.traces, { credential, rucio, version: version, log, world })
  const transfer = await openTransfer({
    root,
    world,
    log,
    identity: () => credential.identity(),
    token: () => credential.token(),
    renewedAt: () => lease.renewedAt(),
    onFinished: traces.finished,
    programs: await programsOf(options, root, { rucio, token: () => credential.token() }, log),
    limits: options.checkpointMs === undefined ? {} : { checkpointMs: options.checkpointMs },
  })
  const listeners = new Set<(name?: string) => void>()
  const changed = (name?: string): void => {
    for (const listener of listeners) listener(name)
  }
  let wake: (around: boolean) => void = () => {}
  const accept = openAccept(root, world, () => {
    wake(true)
    changed()
  })
  const daemon: Daemon = {
    root,
    world,
    log,
    rucio,
    transfer,
    accept,
    works: openWorks(root),
    replicas: openReplicaBook(rucio, world),
    catalogue: openCatalogueRest(world),
    ruleTimes: { ...ruleTimes, ...options.ruleTimes },
    listFailures: new Map(),
    changed,
  }
  const config = openConfigFile(root)
  const hints = options.fileEvents
    ? openHints(root, log, { poll: options.watchPoll, onHint: () => wake(true) })
    : noHints
  const data = openDataWatch(root, world, () => hints.renew())
  const loop = startLoop(daemon, {
    watch: openWatchFolder(root, world, accept),
    config,
    data,
    renewHints: () => hints.renew(),
  })
  wake = loop.wake
  open({
    root,
    accept,
    log,
    progress: transfer.progress,
    state: loop.state,
    troubles: loop.troubles,
    waiting: loop.waiting,
    loginUrl: login.loginUrl,
    askedForStatus: gridCert.asked,
    doctor: openDoctor({ options, env: options.credential.env, credential, rucio, root, world }, signal),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  })
  streams.say(`${web.url} serves ${root.dir} (id ${root.id})`)
  log('web_server', `started, version ${version}, ${web.url}, data directory ${root.id}`)
  const ending = new AbortController()
  const audit = openAudit(daemon, { ...auditTimes, ...options.auditTimes })
  const audits = audit.goOn(ending.signal).catch(error => log('rucio_downloader', `audit: ${String(error)}`))
  const authorities = keepAuthorities(
    { root, world, log, changed },
    credential.authorities,
    options.certUpdate,
    ending.signal,
  ).catch(error => log('grid_cert', `authorities: ${String(error)}`))
  const status = gridCert.keep(daemon, loop.wake, () => retryRefused(daemon), ending.signal)
  try {
    await Promise.race([whenAborted(signal), lost, loop.broken])
    log('web_server', 'told to end')
  } finally {
    ending.abort()
    login.close()
    await within(endMs, async () => {
      await Promise.all([loop.stop(), hints.close(), audits, authorities, status])
      await transfer.close()
      traces.close()
      await gridCert.close()
      await logs.flush()
    })
  }
}

async function within(ms: number, work: () => Promise<void>): Promise<void> {
  const late = new AbortController()
  await Promise.race([work().finally(() => late.abort()), pause(ms, late.signal)])
}
