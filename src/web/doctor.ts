// GET /doctor: what a transfer needs, examined by the daemon. Never examines anything itself.

import { type Answer, json } from './answer.ts'
import type { Call } from './calls.ts'
import type { Desk } from './desk.ts'
import { Problem } from './problem.ts'

/** 200 whatever is found; `healthy` says it in one word. */
export async function getDoctor(_call: Call, { site }: Desk): Promise<Answer> {
  if (site.doctor === undefined) throw new Problem(404, 'not_found', 'This daemon has no doctor.')
  return json(await site.doctor())
}
