/**
 * A server that answers requests from a table and keeps what it was asked: for what a real server
 * cannot be made to say on demand (silence, garbage, cut connections).
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { RequestParser } from '@nendb/resp';

export interface ScriptedServer {
  url: string;
  port: number;
  /** All requests, words joined with spaces. */
  requests: string[];
  close(): Promise<void>;
}

/** `answer` returns the reply's bytes; `undefined` says nothing; `'close'` ends the connection. */
export async function scriptedServer(
  answer: (request: string) => string | Uint8Array | undefined,
): Promise<ScriptedServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const parser = new RequestParser();
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      parser.push(chunk);
      while (parser.next()) {
        const words: string[] = [];
        for (let i = 0; i < parser.argc; i++) {
          const { starts, ends } = parser;
          words.push(Buffer.from(parser.bytes.subarray(starts[i], ends[i])).toString('utf8'));
        }
        requests.push(words.join(' '));
        const reply = answer(words.join(' '));
        if (reply === 'close') socket.end();
        else if (reply !== undefined) socket.write(reply);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    requests,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
