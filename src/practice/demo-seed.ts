// What lies on the practice grid of the demo, and how its storages misbehave: enough trouble to be seen, little enough to be over in
// half a minute. Never read by the daemon.

import type { Faults } from './faults.ts'
import type { Seed, SeedFile } from './seed.ts'

/** A slow line that is cut again and again, and a steadier one that is asked second. */
export const demoRses = ['NORTH_DATADISK', 'SOUTH_DATADISK'] as const

export const demoFaults: Readonly<Record<(typeof demoRses)[number], Partial<Faults>>> = {
  NORTH_DATADISK: { rate: 3e6, dropEvery: 7e6 },
  SOUTH_DATADISK: { rate: 6e6 },
}

const scope = 'mc16_13TeV'
const sample =
  'mc16_13TeV.364156.Sherpa_221_NNPDF30NNLO_Wmunu_MAXHTPTV0_70_CFilterBVeto.deriv.DAOD_PHYS.e5340_s3126_r10201_p5855'

/** The dataset that the demo asks for. */
export const demoDataset = { scope, name: `${sample}_tid34857549_00` } as const

// Files of a derivation are cut by events, not by bytes: the last one is what was left over.
const sizes = [
  24_117_831, 21_730_554, 19_006_212, 25_871_909, 17_440_385, 22_953_170, 8_388_608, 20_142_777, 16_901_043,
  14_775_236, 11_208_904, 1_048_577,
]

/** The file whose copy in the north is wrong: only its checksum shows it. */
export const demoCorruptFile = fileName('34857549', 3)

export const demoSeed: Seed = {
  datasets: [
    { ...demoDataset, open: false, files: sizes.map((bytes, i) => file('34857549', i + 1, bytes)) },
    {
      scope,
      name: `${sample}_tid34857551_00`,
      open: false,
      files: [file('34857551', 1, 2_310_411), file('34857551', 2, 1_577_002), file('34857551', 3, 40_960)],
    },
    { scope, name: `${sample}_tid34857553_00`, open: true, files: [] },
  ],
  containers: [
    {
      scope,
      name: sample,
      children: ['34857549', '34857551', '34857553'].map(task => ({
        scope,
        name: `${sample}_tid${task}_00`,
      })),
    },
  ],
}

function file(task: string, number: number, bytes: number): SeedFile {
  const name = fileName(task, number)
  const [north, south] = demoRses
  return {
    scope,
    name,
    bytes,
    checksums: ['adler32', 'md5'],
    // Every third file lies in the south only.
    replicas:
      number % 3 === 0 && name !== demoCorruptFile
        ? { [south]: 'good' }
        : { [north]: name === demoCorruptFile ? 'corrupt' : 'good', [south]: 'good' },
    events: Math.ceil(bytes / 18_000),
  }
}

function fileName(task: string, number: number): string {
  return `DAOD_PHYS.${task}._${String(number).padStart(6, '0')}.pool.root.1`
}
