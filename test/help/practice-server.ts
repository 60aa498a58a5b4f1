// The other end of practice-child.ts: one practice grid in a process of its own. Never outlives its parent.

import type { StartOptions } from '../../src/practice/grid.ts'
import { startPracticeGrid } from '../../src/practice/grid.ts'
import type { Order, Reply } from './practice-child.ts'

const options: StartOptions = JSON.parse(process.argv[2] ?? '{}')
const grid = await startPracticeGrid(options)

// The channel ends with the parent, however that ended.
process.once('disconnect', () => process.exit())
process.on('message', (order: Order) => {
  obey(order).then(
    value => reply({ id: order.id, value }),
    error => reply({ id: order.id, error: String(error) }),
  )
})
reply({
  id: 0,
  value: { url: grid.url, caPem: grid.caPem, rses: options.rses.map(name => [name, grid.rse(name)]) },
})

function reply(message: Reply): void {
  process.send?.(message)
}

async function obey(order: Order): Promise<unknown> {
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
