/**
 * The barrier between a connection's replies and its socket (R9).
 *
 *     replies of a turn ──hold(bytes, lsn)──▶ [ chunk, lsn ][ chunk, lsn ] ──release(durableLsn)──▶ socket
 *
 * Invariants
 *  1. A chunk leaves only when `durableLsn` covers the applied LSN its replies saw. Reads have a
 *     mark too: what they saw may not be on disk yet.
 *  2. Chunks leave in the order they came; marks never decrease along the queue.
 *  3. All that may leave at one moment leaves in one write.
 *  4. After `drop` nothing leaves any more.
 *
 * One mark a turn suffices: the replies of a turn share one sync.
 */
import type { Socket } from 'node:net';

interface Chunk {
  bytes: Uint8Array;
  lsn: number;
}

export class ReplyGate {
  readonly #socket: Socket;
  #chunks: Chunk[] = [];
  #heldBytes = 0;
  #ending = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Whether something waits for the log. */
  get holding(): boolean {
    return this.#chunks.length > 0;
  }

  /** Bytes that wait: for the log here, and for the peer in the socket. */
  get waitingBytes(): number {
    return this.#heldBytes + this.#socket.writableLength;
  }

  /** Takes over `bytes`, whose replies saw the state at `lsn`. */
  hold(bytes: Uint8Array, lsn: number): void {
    this.#chunks.push({ bytes, lsn });
    this.#heldBytes += bytes.length;
  }

  /** Lets go what `durableLsn` covers. */
  release(durableLsn: number): void {
    let count = 0;
    while (count < this.#chunks.length && this.#chunks[count].lsn <= durableLsn) count++;
    if (count > 0) {
      const leaving = this.#chunks;
      this.#chunks = leaving.splice(count);
      this.#write(leaving);
    }
    if (this.#ending && this.#chunks.length === 0) this.#socket.end();
  }

  /** Ends the connection when everything held has left. */
  finish(durableLsn: number): void {
    this.#ending = true;
    this.release(durableLsn);
  }

  /** Forgets what is held: it must never be sent. */
  drop(): void {
    this.#chunks = [];
    this.#heldBytes = 0;
  }

  #write(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) this.#heldBytes -= chunk.bytes.length;
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    if (chunks.length === 1) {
      this.#socket.write(chunks[0].bytes);
      return;
    }
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk.bytes);
    this.#socket.uncork();
  }
}
