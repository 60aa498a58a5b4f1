// The daemon: data directory, lease, rooms wired together, signals, exit codes. Holds no rule of its own.

import { openCredential } from './credential/credential.ts'
import { ruleTimes } from './decide/rule.ts'
import type { Root } from './disk/layout.ts'
import { Held, type Lease, leaseTimes, takeLease } from './disk/lease.ts'
import { openLogs } from './disk/logs.ts'
import { Fenced } from './disk/put.ts'
import { NotOurs, openRoot, prepare } from './disk/root.ts'
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
import { othersMayReach } from './options-access.ts'
import { pause } from './outside/abort.ts'
import { setLoopbackAllowed } from './outside/request.ts'
import { keepAuthorities } from './serve-authorities.ts'
import { connectRucio } from './serve-login.ts'
import { programsOf } from './serve-programs.ts'
import { connectTraces } from './serve-traces.ts'
import { openTransfer } from './transfer/engine.ts'
import { type Site, startWeb, type Web } from './web/server.ts'
import { openAccept } from './wishes/accept.ts'
import { openWatchFolder } from './wishes/watch.ts'
import { codeOf, type Reason, sentence, Trouble } from './words/reason.ts'
import type { World } from './words/world.ts'

/** What a process ends with: 0 told to end, 1 could not start, 2 the configuration is wrong, 75 another daemon has taken over. */
export type ExitCode = 0 | 1 | 2 | 75

/** SIGTERM ends within 5 s (DESIGN.md); what has not ended by then loses nothing that was synced. With 4 s for the parts, whose sync a
 *  busy disk makes slow, the rest took it to 4.8 s. */
const endMs = 3500
const startAgainMs = 5000
const ofTheDisk: readonly Reason[] = ['disk_full', 'disk_error', 'read_only']

export type Streams = { readonly say: (line: string) => void; readonly complain: (line: string) => void }

/** Runs until `signal` fires or the daemon cannot go on. */
export async function serve(
  options: ServeOptions,
  {
    world,
    version,
    signal,
    streams,
  }: { world: World; version: string; signal: AbortSignal; streams: Streams },
): Promise<ExitCode> {
  let root: Root
  try {
    const opened = await openRoot({
      dir: options.data,
      ...(options.dataId === undefined ? {} : { dataId: options.dataId }),
      fenced: true,
      world,
    })
    root = opened.root
    if (opened.made) streams.complain(`made ${root.dir} a data directory with the id ${root.id}`)
  } catch (error) {
    if (!(error instanceof NotOurs)) throw error
    streams.complain(error.message)
    return 2
  }
  let site: Site | undefined
  let web: Web | undefined
  const ports = new Set<number>()
  try {
    web = await startWeb({ ...options.web, world, version, site: () => site })
    for (const port of web.ports) ports.add(port)
    const reach = await othersMayReach(options.web, options.web.hosts)
    if (reach !== undefined) streams.complain(reach)
  } catch (error) {
    const why = cannotListen(error, options.web.port)
    if (why !== undefined) {
      streams.complain(why)
      return 1
    }
    if (codeOf(error) !== 'EADDRINUSE') throw error
    // The usual cause is a daemon that runs already, maybe on this very directory: then that is the thing to say.
    const held = await whoHolds(root, world)
    streams.complain(
      held ??
        (options.web.socketPath !== undefined && options.web.hosts.length === 0
          ? `${error instanceof Error ? error.message : String(error)}; choose another path with --socket`
          : `port ${options.web.port} is taken by another program; choose one with --port, or --port 0 for a free one`),
    )
    return 1
  }
  try {
    const ground = { root, web, world, signal, streams, version }
    for (let said = ''; ; ) {
      try {
        return await withLease(options, ground, made => {
          site = made
        })
      } catch (error) {
        // A full or read-only disk takes no lease. Ending would only make whoever watches over us start it again, and again.
        if (!(error instanceof Trouble) || !ofTheDisk.includes(error.reason)) throw error
        const text = `cannot begin yet: ${sentence(error.reason, error.detail)}`
        if (text !== said) streams.complain(text)
        said = text
        await pause(startAgainMs, signal)
        if (signal.aborted) return 0
      }
    }
  } catch (error) {
    if (error instanceof Held) {
      streams.complain(heldBy(root, error))
      return 1
    }
    if (error instanceof Fenced) {
      streams.complain(`another daemon has taken over ${root.dir}; this one has stopped writing and ends`)
      return 75
    }
    throw error
  } finally {
    await web.close()
  }
}

/** What a person has asked for and this machine does not give; undefined for all else. */
function cannotListen(error: unknown, port: number): string | undefined {
  const { address, hostname } = error as { readonly address?: unknown; readonly hostname?: unknown }
  switch (codeOf(error)) {
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return `${String(address)} is no address of this machine; give another one with --host`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${String(hostname)} is a name that nobody knows; give an address of this machine with --host`
    case 'EACCES':
      return `this user may not listen on port ${port}; choose one above 1023 with --port`
    default:
      return undefined
  }
}

async function whoHolds(root: Root, world: World): Promise<string | undefined> {
  const quiet: Root = { ...root, fenced: false }
  try {
    const { lease } = await takeLease(
      quiet,
      world,
      () => {},
      () => {},
      // One look: a living holder has renewed its lock within the last 3 s.
      { ...leaseTimes, everyMs: 0, tries: 0 },
    )
    await lease.release()
    return undefined
  } catch (error) {
    if (error instanceof Held) return heldBy(root, error)
    throw error
  }
}

function heldBy(root: Root, held: Held): string {
  const { owner } = held
  const who =
    owner === undefined
      ? 'another daemon'
      : `the daemon with pid ${owner.pid} on ${owner.host}, started ${owner.started}${owner.url === null ? '' : `, at ${owner.url}`}`
  return `${root.dir} is in use by ${who}; stop that one first, or use it`
}

type Ground = {
  readonly root: Root
  readonly web: Web
  readonly world: World
  readonly signal: AbortSignal
  readonly streams: Streams
  readonly version: string
}

async function withLease(
  options: ServeOptions,
  ground: Ground,
  open: (site: Site | undefined) => void,
): Promise<ExitCode> {
  const { root, web, world, signal, streams } = ground
  let lose: (error: Fenced) => void = () => {}
  const lost = new Promise<never>((_resolve, reject) => {
    lose = reject
  })
  lost.catch(() => {}) // the race below hears of it; before that nobody does
  const taking = takeLease(
    root,
    world,
    () => lose(new Fenced()),
    text => streams.complain(text),
  )
  const taken = await Promise.race([taking, whenAborted(signal)])
  if (taken === undefined) {
    // Told to end while another's lock runs out: what comes of the wait is given back, or ends with the process.
    taking.then(late => late.lease.release()).catch(() => {})
    return 0
  }
  const { lease, previous } = taken
  try {
    await prepare(root, previous?.boot_id, world.now())
    await lease.announce(web.url)
    if (signal.aborted) return 0
    return await run(options, ground, lease, lost, open)
  } finally {
    open(undefined)
    await lease.release()
  }
}

async function run(
  options: ServeOptions,
  ground: Ground,
  lease: Lease,
  lost: Promise<never>,
  open: (site: Site | undefined) => void,
): Promise<ExitCode> {
  const { root, web, world, signal, streams } = ground
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
  const traces = connectTraces(options.traces, { credential, rucio, version: ground.version, log, world })
  const transfer = await openTransfer({
    root,
    world,
    log,
    identity: () => credential.identity(),
    token: () => credential.token(),
    renewedAt: () => lease.renewedAt(),
    onFinished: traces.finished,
    programs: programsOf(options, root, { rucio, token: () => credential.token() }, log),
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
  log('web_server', `started, version ${ground.version}, ${web.url}, data directory ${root.id}`)
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
    return 0
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

function whenAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined)
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
}

async function within(ms: number, work: () => Promise<void>): Promise<void> {
  const late = new AbortController()
  await Promise.race([work().finally(() => late.abort()), pause(ms, late.signal)])
}
