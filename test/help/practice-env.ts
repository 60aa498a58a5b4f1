// What the daemon needs to know of a practice grid, as its environment. Writes one file: the authority that its servers show.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PracticeGrid } from '../../src/practice/grid.ts'

/** @param dir where the PEM file may lie; not the data directory */
export async function practiceEnv(
  grid: Pick<PracticeGrid, 'url' | 'caPem'>,
  dir: string,
): Promise<Record<string, string>> {
  const ca = join(dir, 'practice-ca.pem')
  await writeFile(ca, grid.caPem)
  return {
    RUCIO_CLIENT_RUCIO_HOST: grid.url,
    RUCIO_CLIENT_CA_CERT: ca,
    RUCIO_AUTH_TYPE: 'userpass',
    RUCIO_ACCOUNT: 'jdoe',
    RUCIO_CLIENT_USERNAME: 'jdoe',
    RUCIO_CLIENT_PASSWORD: 'jdoe-secret',
  }
}
