// The other end of practice-child.ts: one practice grid in a process of its own. Never outlives its parent.

import type { PracticeGrid, StartOptions } from '../../src/practice/grid.ts'
import { startPracticeGrid } from '../../src/practice/grid.ts'
import type { Order, Reply } from './practice-child.ts'

const options: StartOptions = JSON.parse(process.argv[2] ?? '{}')
const grid = await startPracticeGrid(options).catch((error: unknown) => {
  process.exitCode = 1
  process.send?.({ id: 0, error: String(error) }, () => process.disconnect())
  return undefined
})
if (grid !== undefined) serve(grid)

function serve(grid: PracticeGrid): void {
  // The channel ends with the parent, however that ended.
  process.once('disconnect', () => process.exit())
  process.on('message', (order: Order) => {
    obey(grid, order).then(
      value => reply({ id: order.id, value }),
      (error: unknown) => reply({ id: order.id, error: String(error) }),
    )
  })
  const rses = options.rses.map(name => [name, grid.rse(name)])
  reply({ id: 0, value: { url: grid.url, caPem: grid.caPem, rses } })
}

function reply(message: Reply): void {
  process.send?.(message)
}

async function obey(grid: PracticeGrid, order: Order): Promise<unknown> {
  switch (order.what) {
    case 'setFaults':
      return grid.setFaults(order.rse, order.faults)
    case 'setCatalogue':
      return grid.setCatalogue(order.faults)
    case 'setSeed':
      return grid.setSeed(order.seed)
    case 'sent':
      return grid.sent()
    case 'forgetSent':
      return grid.forgetSent()
    case 'calls':
      return grid.calls()
    case 'stop':
      await grid.stop()
      // After the reply has gone.
      setImmediate(() => process.disconnect())
      return undefined
  }
}
