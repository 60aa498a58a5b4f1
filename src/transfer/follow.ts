// An AbortController that fires when others do. Never holds on to those others once it is let go.

import { setMaxListeners } from 'node:events'

/** AbortSignal.any() keeps some 160 bytes on a long-lived signal for each call, for ever (Node 20.20: 3.3 MB in 20,000 files).
 *  @returns the controller, and what lets the others go: to be called in every case */
export function follow(...others: readonly AbortSignal[]): {
  readonly controller: AbortController
  readonly letGo: () => void
} {
  const controller = new AbortController()
  // Up to 16 connections of a file listen, and Node would warn of the eleventh.
  setMaxListeners(0, controller.signal)
  const listeners = others.map(other => {
    const listener = () => controller.abort(other.reason)
    if (other.aborted) listener()
    else other.addEventListener('abort', listener)
    return () => other.removeEventListener('abort', listener)
  })
  return {
    controller,
    letGo() {
      for (const remove of listeners) remove()
    },
  }
}
