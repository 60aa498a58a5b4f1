// Passes connections on from one address to the same port of another: a practice grid knows localhost alone, and a container has one of
// its own. Never looks at the bytes.

import { connect, createServer } from 'node:net'

const [from = '', to = '', ...ports] = process.argv.slice(2)
for (const port of ports)
  createServer(client => {
    const server = connect(Number(port), to)
    client.pipe(server).pipe(client)
    client.on('error', () => server.destroy())
    server.on('error', () => client.destroy())
  }).listen(Number(port), from)
