// There is another credential: what was refused with the old one is tried now, also what a storage does not let it read: the new one may
// name a group or role that may. Never touches what failed for other reasons.

import type { Daemon } from './daemon.ts'

/** The caller wakes the loop after it. Sidecars keep their `next_try` of at most a minute: a try now writes them anew. */
export function retryRefused(daemon: Daemon): void {
  daemon.transfer.forgetRefusals()
  if (daemon.catalogue.seen().reason === 'auth') daemon.catalogue.answered()
  for (const [name, failure] of daemon.listFailures)
    if (failure.reason === 'auth') daemon.listFailures.set(name, { ...failure, nextTryAt: 0 })
  for (const work of daemon.works.values())
    for (const file of work.later) {
      const reason = file.failure?.reason
      if ((reason === 'auth' || reason === 'refused') && !file.busy) file.nextTryAt = 0
    }
}
