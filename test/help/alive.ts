// Whether a child program of a test still runs. Ends none.

import { readFileSync } from 'node:fs'

/** A child whose parent has gone is a zombie for an instant, until it is reaped: it counts as gone.
 *  @param pid 0, of a program that was never begun, is alive (kill(2) asks of our own group): a test that wants it gone fails */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    // ESRCH: that is the answer.
    return false
  }
  return pid === 0 || !/^State:\s*Z/m.test(statusOf(pid))
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    // Gone between the two looks; or there is no /proc, and kill(2) is believed.
    return process.platform === 'linux' ? 'State: Z' : ''
  }
}
