/**
 * The environment: everything a storage package may ask of the outside world.
 *
 * Two implementations pass one conformance suite: `NodeVfs` (the real machine) and `SimVfs` (a
 * deterministic machine with faults and crashes). Storage packages take a `Vfs` and use nothing
 * else: no `node:fs`, no `Date.now`, no `Math.random`, no global timers.
 *
 * Invariants
 *  1. Every file operation has a synchronous twin with the same meaning.
 *  2. There is no implicit file position: every read and write names one.
 *  3. `writeAt` may be short; it reports what it wrote. `readAt` is short at the end of the file
 *     only, and returns 0 there.
 *  4. An error is an `Error` with an errno `code` (`ENOENT`, `EIO`, `ENOSPC`, ...), `syscall` and
 *     `path`.
 *  5. A buffer handed to an asynchronous call belongs to the callee until the promise settles.
 *  6. A closed file refuses every call (`EBADF`). `close` waits for the calls in flight; `closeSync`
 *     refuses while there are any (`EBUSY`).
 *  7. Nothing is durable before `sync` of the file and `syncDir` of the directory that names it.
 */

/**
 * How a file is opened. `read`: it exists, reads only. `write`: it exists, reads and writes.
 * `create`: it must not exist yet (`EEXIST`), reads and writes.
 */
export type OpenMode = 'read' | 'write' | 'create';

/** An open file. Positions, lengths and sizes are in bytes. */
export interface VfsFile {
  readonly path: string;
  /** Reads into all of `target` from `position`; returns the bytes read. */
  readAt(target: Uint8Array, position: number): Promise<number>;
  readAtSync(target: Uint8Array, position: number): number;
  /** Writes `source` at `position`; returns the bytes written, which may be fewer. */
  writeAt(source: Uint8Array, position: number): Promise<number>;
  writeAtSync(source: Uint8Array, position: number): number;
  truncate(length: number): Promise<void>;
  truncateSync(length: number): void;
  /** fdatasync with `dataOnly` (sizes included, times not), else fsync. A failure is final. */
  sync(options?: { dataOnly?: boolean }): Promise<void>;
  syncSync(options?: { dataOnly?: boolean }): void;
  size(): Promise<number>;
  sizeSync(): number;
  close(): Promise<void>;
  closeSync(): void;
}

export interface VfsStat {
  kind: 'file' | 'directory' | 'other';
  size: number;
  modifiedMs: number;
}

/** Who holds a lock: written into the lock file for people and for `nen`, never the truth itself. */
export interface LockOwner {
  pid: number;
  /** Start time of the process in clock ticks since boot, so that a reused pid is told apart. */
  startTicks: string;
  bootId: string;
  pidNamespace: string;
  host: string;
  /** Where the owner can be reached, once it listens: `redis://127.0.0.1:6379`. */
  address?: string;
}

/** An exclusive lock, held until released or until the process dies, however it dies. */
export interface VfsLock {
  readonly path: string;
  readonly owner: LockOwner;
  /** Publishes the owner's address in the lock file. */
  publish(address: string): void;
  release(): Promise<void>;
}

/** What a lock file says. `held` is the kernel's word; without `flock` it is a judgement by pid. */
export interface LockState {
  held: boolean;
  owner?: LockOwner;
}

export interface Clock {
  /** Milliseconds since 1970; may jump either way. */
  wallMs(): number;
  /** Milliseconds from an arbitrary start; never goes back. Fractions allowed. */
  monotonicMs(): number;
}

export interface Timer {
  cancel(): void;
}

export interface Timers {
  /** Runs `callback` once after `delayMs`. `background` timers do not keep the process alive. */
  after(delayMs: number, callback: () => void, options?: { background?: boolean }): Timer;
  /** Runs `callback` when the current turn of the event loop has handled its I/O. */
  turnEnd(callback: () => void): void;
}

export interface Randomness {
  fill(target: Uint8Array): void;
  /** 16 random bytes, a version 4 uuid (RFC 9562). */
  uuid(): Uint8Array;
}

/** Methods of a task, run where the task lives; they may use the synchronous half of the `Vfs`. */
export type TaskMethods = Record<string, (input: never) => unknown>;

/** The default export of a task module: makes the task's methods on the thread it runs on. */
export type TaskFactory = (init: never, vfs: Vfs) => TaskMethods;

/** A running task off the core thread. Calls run one after the other, in order. */
export interface Task {
  call(method: string, input: unknown, transfer?: readonly ArrayBuffer[]): Promise<unknown>;
  close(): Promise<void>;
}

export interface Executor {
  /**
   * Starts `module`, whose default export is a {@link TaskFactory}, on a worker thread. `init` and
   * inputs must be structured-cloneable. The simulator runs it in place, at moments of its choice.
   */
  start(module: URL, init: unknown): Promise<Task>;
}

export interface Vfs {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Randomness;
  readonly executor: Executor;

  open(path: string, mode: OpenMode): Promise<VfsFile>;
  openSync(path: string, mode: OpenMode): VfsFile;
  /** Atomic; replaces `to` if it exists. Durable after `syncDir` of the directory. */
  rename(from: string, to: string): Promise<void>;
  renameSync(from: string, to: string): void;
  unlink(path: string): Promise<void>;
  unlinkSync(path: string): void;
  /** Makes the directory and its missing parents; an existing directory is fine. */
  mkdir(path: string): Promise<void>;
  mkdirSync(path: string): void;
  /** Names in a directory, in no particular order. */
  readdir(path: string): Promise<string[]>;
  readdirSync(path: string): string[];
  /** `undefined` where nothing is there. */
  stat(path: string): Promise<VfsStat | undefined>;
  statSync(path: string): VfsStat | undefined;
  /** Makes creations, renames and unlinks in a directory durable. */
  syncDir(path: string): Promise<void>;
  syncDirSync(path: string): void;
  /** Bytes that an unprivileged writer may still use on the disk that holds `path`. */
  freeBytes(path: string): Promise<number>;
  freeBytesSync(path: string): number;
  /**
   * Takes the exclusive lock, or rejects with a `VfsLockedError` (`VFS_LOCKED`) that names the owner.
   * The file is made if missing, and stays.
   */
  lock(path: string): Promise<VfsLock>;
  /** Looks at a lock without taking it. */
  inspectLock(path: string): Promise<LockState>;
}
