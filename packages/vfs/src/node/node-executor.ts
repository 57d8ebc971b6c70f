/**
 * Tasks on worker threads.
 *
 * Invariants
 *  1. Calls run one after the other, in the order in which they were made.
 *  2. Every call settles: a worker that dies rejects the calls it had not answered.
 *  3. An idle task does not keep the process alive; one with a call in flight does.
 *
 * Workers start with no `execArgv`: loaders of the main thread are for the main thread, and tasks
 * are built JavaScript (`built-module.ts`).
 */
import { Worker } from 'node:worker_threads';
import type { Executor, Task } from '../vfs.js';
import { builtModule } from './built-module.js';
import {
  READY_ID,
  type TaskCall,
  type TaskReply,
  type TaskStart,
  unpackFailure,
} from './task-protocol.js';

interface Waiter {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export const nodeExecutor: Executor = {
  async start(module, init) {
    const task = new WorkerTask(builtModule(module), init);
    await task.ready;
    return task;
  },
};

class WorkerTask implements Task {
  readonly ready: Promise<unknown>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiter>();
  readonly #module: URL;
  #nextId = READY_ID + 1;
  #gone: Error | undefined;
  #drained: (() => void) | undefined;

  constructor(module: URL, init: unknown) {
    this.#module = module;
    const start: TaskStart = { module: module.href, init };
    this.#worker = new Worker(builtModule(new URL('./task-worker.js', import.meta.url)), {
      workerData: start,
      execArgv: [],
    });
    this.#worker.on('message', (reply: TaskReply) => this.#settle(reply));
    this.#worker.on('messageerror', (error: Error) => this.#die(error));
    this.#worker.on('error', (error: Error) => this.#die(error));
    this.#worker.on('exit', (code) =>
      this.#die(
        new Error(`expected the task in ${module.href} to run on, but its thread ended (${code})`),
      ),
    );
    this.ready = new Promise((resolve, reject) => {
      this.#waiting.set(READY_ID, { resolve, reject });
    }).catch(async (error: Error) => {
      await this.#worker.terminate();
      throw error;
    });
  }

  call(method: string, input: unknown, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) throw this.#gone;
      const id = this.#nextId++;
      this.#worker.postMessage({ id, method, input } satisfies TaskCall, [...transfer]);
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
    });
  }

  async close(): Promise<void> {
    this.#gone ??= new Error(
      `expected an open task, got a closed one (${this.#module.href}): start it again`,
    );
    if (this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    await this.#worker.terminate();
  }

  #settle(reply: TaskReply): void {
    const waiter = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) {
      this.#worker.unref();
      this.#drained?.();
    }
    if ('failure' in reply) waiter?.reject(unpackFailure(reply.failure));
    else waiter?.resolve(reply.result);
  }

  #die(error: Error): void {
    this.#gone ??= error;
    for (const waiter of this.#waiting.values()) waiter.reject(error);
    this.#waiting.clear();
    this.#drained?.();
  }
}
