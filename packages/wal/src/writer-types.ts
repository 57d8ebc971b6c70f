/** What the writer is given, and what it tells. */
import type { Segment } from './directory.js';
import type { Identity } from './rebuild.js';

export interface WriterOptions {
  dir: string;
  always: boolean;
  /** Of the segments that it starts. */
  identity: Identity;
  /** Milliseconds that the first sync of this opening took: a guess at the disk's speed. */
  syncMs: number;
  /** A sync that is expected to take as long goes through the thread pool. */
  inlineSyncMsMax: number;
}

/** What the writer tells the log that owns it. */
export interface WriterListener {
  /** Something was written, and is not synced. `bytes`: of records and frames. */
  wrote(bytes: number): void;
  synced(elapsedMs: number): void;
  /** A sync has ended that was for no record: one that was put off for it may begin. */
  reserved(): void;
  rotated(sealed: Segment): void;
  failed(failure: 'write' | 'sync', error: unknown): void;
  /** The marks may have moved; it is safe to call anything now. */
  stepped(): void;
}
