// Medians and ratios of what was measured, as a Markdown table. Measures nothing.

export type Cost = {
  /** s, from the start of the process to the end or, for a daemon, to the verified dataset */
  readonly wall: number
  /** s, user and system, children included */
  readonly cpu: number
  /** MiB, the largest process */
  readonly rss: number
}

/** One row a command, in the order of their first run. The ratio is to the first of them. */
export function table(title: string, costs: ReadonlyMap<string, readonly Cost[]>): string {
  const medians = [...costs].map(([label, runs]) => ({
    label,
    runs: runs.length,
    wall: median(runs.map(each => each.wall)),
    cpu: median(runs.map(each => each.cpu)),
    rss: median(runs.map(each => each.rss)),
  }))
  const [base] = medians
  const rows = medians.map(each =>
    [
      each.label,
      `${each.wall.toFixed(2)} (${ratio(each.wall, base?.wall)})`,
      `${each.cpu.toFixed(2)} (${ratio(each.cpu, base?.cpu)})`,
      each.rss.toFixed(0),
      each.runs,
    ].join(' | '),
  )
  const head = ['command', 'wall s (ratio)', 'CPU s (ratio)', 'peak RSS MiB', 'runs'].join(' | ')
  return [
    `### ${title}`,
    '',
    `| ${head} |`,
    '| --- | --- | --- | --- | --- |',
    ...rows.map(row => `| ${row} |`),
    '',
  ].join('\n')
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]]
  return (low + high) / 2
}

function ratio(value: number, base: number | undefined): string {
  return base === undefined ? '-' : (value / base).toFixed(2)
}
