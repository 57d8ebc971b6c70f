/**
 * The listening socket and who may come in.
 *
 *     connect ──▶ ready? ──no──▶ waits unread        (recovery is still running)
 *                   │yes
 *                   ▼
 *               room? protected mode? ──no──▶ one error line, closed
 *                   │yes
 *                   ▼
 *               admit(socket)
 *
 * The port is taken before the data directory is touched, so that a port in use changes nothing.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { ServerConfig } from './config.js';
import { LISTEN_BACKLOG, REFUSAL_MS, REFUSALS_MAX } from './limits.js';
import { isLoopback } from './peer.js';
import { ListenError } from './start-error.js';

/** Redis's text. */
const FULL = '-ERR max number of clients reached\r\n';
const DENIED =
  '-DENIED NenDB runs in protected mode: no password is set, so that only clients on this machine ' +
  'are served. Set a password with --requirepass-file, or turn the protection off with ' +
  '--protected-mode no if the network is trusted.\r\n';

export interface Doorkeeper {
  readonly full: boolean;
  readonly passwordRequired: boolean;
  admit(socket: Socket): void;
  /** A connection was refused, for the counters and the log. */
  refused(address: string, reason: string): void;
}

export class Listener {
  readonly #server: Server;
  readonly #config: ServerConfig;
  #doorkeeper: Doorkeeper | undefined;
  readonly #early = new Set<Socket>();
  /** Refused, and still to read why. */
  #refusals = 0;

  private constructor(config: ServerConfig) {
    this.#config = config;
    // Half open: a client that shut its side down still gets the replies that wait for the log.
    this.#server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) =>
      this.#arrived(socket),
    );
  }

  /** @throws ListenError */
  static async open(config: ServerConfig): Promise<Listener> {
    const listener = new Listener(config);
    const server = listener.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(new ListenError(config.bind, config.port, error)));
      server.listen({ host: config.bind, port: config.port, backlog: LISTEN_BACKLOG }, resolve);
    });
    return listener;
  }

  /** Where it listens: the port that was picked where 0 was asked for, the address of a host name. */
  get bound(): { address: string; port: number } {
    const bound = this.#server.address();
    if (typeof bound === 'object' && bound !== null) return bound;
    throw new Error('expected a listening socket: it has been closed');
  }

  /** Accept errors, such as too many open files, come here; the server goes on. */
  onError(listener: (error: Error) => void): void {
    this.#server.removeAllListeners('error');
    this.#server.on('error', listener);
  }

  /** Lets clients in, those that wait first. */
  letIn(doorkeeper: Doorkeeper): void {
    this.#doorkeeper = doorkeeper;
    const early = [...this.#early];
    this.#early.clear();
    for (const socket of early) {
      socket.removeAllListeners('error');
      if (!socket.destroyed) this.#decide(socket, doorkeeper);
    }
  }

  /** Accepts nobody any more; clients let in before are not touched. */
  close(): void {
    this.#server.close();
    for (const socket of this.#early) socket.destroy();
    this.#early.clear();
  }

  #arrived(socket: Socket): void {
    if (this.#doorkeeper) {
      this.#decide(socket, this.#doorkeeper);
    } else if (this.#early.size >= this.#config.clientsMax) {
      this.#refuse(socket, FULL);
    } else {
      this.#early.add(socket);
      socket.on('error', () => this.#early.delete(socket));
    }
  }

  #decide(socket: Socket, doorkeeper: Doorkeeper): void {
    const address = socket.remoteAddress;
    // Gone before it was looked at.
    if (address === undefined) socket.destroy();
    else if (doorkeeper.full) {
      doorkeeper.refused(address, 'too many clients (--clients-max)');
      this.#refuse(socket, FULL);
    } else if (this.#isUnsafe(address, doorkeeper)) {
      doorkeeper.refused(address, 'protected mode');
      this.#refuse(socket, DENIED);
    } else {
      doorkeeper.admit(socket);
      socket.resume();
    }
  }

  #isUnsafe(address: string, doorkeeper: Doorkeeper): boolean {
    return (
      this.#config.protectedMode === 'yes' && !doorkeeper.passwordRequired && !isLoopback(address)
    );
  }

  /** Says why and closes. What the peer sent is read and dropped, lest a reset overtake the text. */
  #refuse(socket: Socket, text: string): void {
    socket.on('error', () => socket.destroy());
    if (this.#refusals >= REFUSALS_MAX) {
      socket.destroy();
      return;
    }
    this.#refusals++;
    socket.once('close', () => this.#refusals--);
    const timer = setTimeout(() => socket.destroy(), REFUSAL_MS);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
    socket.resume();
    socket.end(text);
  }
}
