// A container as a big analysis has it: many datasets, each with many tiny files, named as real ones are. Made from numbers alone.

import type { Seed, SeedFile } from '../../src/practice/grid.ts'

export const scope = 'mc20_13TeV'
export const container = 'mc20_13TeV.700320.Sh_2211_Zee_maxHTpTV2.deriv.DAOD_PHYS.e8351_s3681_r13144_p5855'
export const fileBytes = 20

export function datasetName(i: number): string {
  return `${container}_tid${34_000_000 + i}_00`
}

export function bigFile(dataset: number, i: number): SeedFile {
  const number = String(i + 1).padStart(6, '0')
  return {
    scope,
    name: `DAOD_PHYS.${34_000_000 + dataset}._${number}.pool.root.1`,
    bytes: fileBytes,
    checksums: ['adler32'],
    replicas: { BIG: 'good' },
    events: 10_000,
  }
}

export function bigSeed(datasets: number, filesEach: number): Seed {
  const all = Array.from({ length: datasets }, (_, i) => ({
    scope,
    name: datasetName(i),
    open: false,
    files: Array.from({ length: filesEach }, (_, n) => bigFile(i, n)),
  }))
  return {
    datasets: all,
    containers: [{ scope, name: container, children: all.map(({ name }) => ({ scope, name })) }],
  }
}
