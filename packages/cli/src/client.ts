/**
 * A small RESP client: one connection, one request at a time, replies as JavaScript values.
 *
 * Invariants
 *  1. A request is sent only when the reply before it has come: replies need no matching.
 *  2. Whatever goes wrong (refused, timed out, cut off, bytes that are no RESP) is a `CliError`
 *     `UNREACHABLE` or `CONNECTION_CLOSED` with the address and without the password.
 *  3. An error reply of the server is a value (`RespError`), not an exception.
 *  4. Push data answers no request and is dropped.
 */
import { connect, type Socket } from 'node:net';
import { encodeRequest, type Reply, ReplyParser, RespError } from '@nendb/resp';
import { type Address, formatAddress } from './address.js';
import { CliError, ExitCode } from './errors.js';
import { ANSWER_TIMEOUT_MS, CONNECT_TIMEOUT_MS } from './limits.js';

export interface ConnectOptions {
  /** How the address was found, for the error message. */
  foundBy: string;
  /** The protocol to ask for. Default 2. */
  protocol?: 2 | 3;
  /** Default: the address's, else 0. */
  database?: number;
  /** Default 3 s, in ms. */
  connectTimeoutMs?: number;
  onWarning?: (text: string) => void;
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

export class Client {
  readonly #socket: Socket;
  readonly #name: string;
  readonly #parser = new ReplyParser();
  #waiting: Waiting | undefined;
  #failure: CliError | undefined;

  private constructor(socket: Socket, name: string) {
    this.#socket = socket;
    this.#name = name;
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(closed(name, error.message)));
    socket.on('close', () => this.#fail(closed(name, 'the end of the connection')));
  }

  /**
   * Connects, authenticates, selects. Throws `CliError`: `UNREACHABLE`; or with the server's own code
   * (`WRONGPASS`, `NOAUTH`, …) where it refuses.
   */
  static async connect(address: Address, options: ConnectOptions): Promise<Client> {
    const name = `${formatAddress(address)} (${options.foundBy})`;
    const socket = await openSocket(address, name, options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    const client = new Client(socket, name);
    try {
      await client.#handshake(address, options);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /**
   * Sends one command and resolves to its reply. Waits without end unless `timeoutMs` is given.
   * Throws `CliError` `CONNECTION_CLOSED` where the connection ends first, `UNREACHABLE` at the timeout.
   */
  async call(args: readonly (string | Uint8Array)[], timeoutMs?: number): Promise<Reply> {
    if (this.#failure !== undefined) throw this.#failure;
    const reply = new Promise<Reply>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#socket.write(encodeRequest(args));
    if (timeoutMs === undefined) return reply;
    const timer = setTimeout(
      () => this.#fail(unreachable(this.#name, `no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    return reply.finally(() => clearTimeout(timer));
  }

  close(): void {
    this.#socket.destroy();
  }

  async #handshake(address: Address, options: ConnectOptions): Promise<void> {
    const { user, password } = address;
    if (password !== undefined) {
      const reply = await this.#ask(['AUTH', ...(user === undefined ? [] : [user]), password]);
      if (reply instanceof RespError && /without any password configured/.test(reply.message)) {
        options.onWarning?.(`${this.#name} asks for no password; the one given was not needed`);
      } else {
        throwIfError(reply);
      }
    }
    if (options.protocol === 3) throwIfError(await this.#ask(['HELLO', '3']));
    const database = options.database ?? address.database ?? 0;
    if (database !== 0) throwIfError(await this.#ask(['SELECT', String(database)]));
  }

  #ask(args: readonly string[]): Promise<Reply> {
    return this.call(args, ANSWER_TIMEOUT_MS);
  }

  #receive(chunk: Buffer): void {
    try {
      this.#parser.push(chunk);
      for (let frame = this.#parser.next(); frame !== undefined; frame = this.#parser.next()) {
        if (frame.push === true) continue;
        const waiting = this.#waiting;
        this.#waiting = undefined;
        waiting?.resolve(frame.value);
      }
    } catch (error) {
      this.#fail(unreachable(this.#name, error instanceof Error ? error.message : String(error)));
    }
  }

  #fail(error: CliError): void {
    this.#failure ??= error;
    this.#socket.destroy();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}

/** Turns an error reply into the error of a failed command, under the server's own code. */
export function throwIfError(reply: Reply): void {
  if (reply instanceof RespError) throw serverError(reply);
}

/** `WRONGTYPE Operation against…` is code `WRONGTYPE`. */
export function serverError(reply: RespError): CliError {
  return new CliError(ExitCode.failure, reply.code, reply.message, HINTS[reply.code]);
}

const HINTS: Readonly<Record<string, string>> = {
  NOAUTH: 'give the password with --password-file, or in NENDB_PASSWORD',
  WRONGPASS: 'check the password in --password-file or NENDB_PASSWORD',
  MISCONF: 'nen status shows what failed; free or replace the disk, then restart the server',
};

function openSocket(address: Address, name: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.host, port: address.port, noDelay: true });
    const timer = setTimeout(() => refuse(`no connection within ${timeoutMs} ms`), timeoutMs);
    const refuse = (reason: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(unreachable(name, reason));
    };
    const onError = (error: Error): void => refuse(error.message);
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

function unreachable(name: string, reason: string): CliError {
  return new CliError(
    ExitCode.unreachable,
    'UNREACHABLE',
    `expected a server at ${name}, got: ${reason}`,
    'start one with nen serve, or name another with --url; --dir works on a stopped directory',
  );
}

function closed(name: string, reason: string): CliError {
  return new CliError(
    ExitCode.unreachable,
    'CONNECTION_CLOSED',
    `expected a reply from ${name}, got: ${reason}`,
    'the command may or may not have been carried out: look before running it again',
  );
}
