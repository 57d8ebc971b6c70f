#!/usr/bin/env node
import { createServer } from 'node:net';
import { RequestParser } from '@nendb/resp';

const server = createServer((socket) => {
  const parser = new RequestParser();
  socket.on('data', (chunk) => {
    try {
      parser.push(chunk);
      while (parser.next()) {
        if (parser.argc === 0) continue;
        const name = parser.bytes.toString('latin1', parser.starts[0], parser.ends[0]);
        socket.write(
          name.toUpperCase() === 'PING' ? '+PONG\r\n' : `-ERR unknown command '${name}'\r\n`,
        );
      }
    } catch (error) {
      socket.end(`-ERR ${(error as Error).message}\r\n`);
    }
  });
  socket.on('error', () => socket.destroy());
});
const port = Number(process.env.NENDB_PORT ?? 6379);
server.listen(port, '127.0.0.1', () => {
  const address = server.address();
  if (address && typeof address === 'object')
    process.stdout.write(`ready redis://127.0.0.1:${address.port}\n`);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));
