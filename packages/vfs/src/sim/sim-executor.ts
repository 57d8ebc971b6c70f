/**
 * Tasks of a simulated machine run in place, one call at a time, at moments that the scheduler
 * chooses. Inputs and results are cloned and transferred as between threads, so that a task cannot
 * share memory here that it would not share there.
 */
import { sourceModule } from '../node/built-module.js';
import type { Executor, Task, TaskFactory, TaskMethods, Vfs } from '../vfs.js';
import type { Scheduler } from './scheduler.js';

export function simExecutor(scheduler: Scheduler, vfs: Vfs): Executor {
  return {
    async start(module, init) {
      const loading = import(/* @vite-ignore */ sourceModule(module).href);
      const { default: factory } = (await scheduler.outside(loading)) as { default: TaskFactory };
      const methods = await scheduler.later(`task ${module.href}`, 0, () =>
        factory(structuredClone(init) as never, vfs),
      );
      return new SimTask(scheduler, module, methods);
    },
  };
}

class SimTask implements Task {
  readonly #scheduler: Scheduler;
  readonly #module: URL;
  readonly #methods: TaskMethods;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(scheduler: Scheduler, module: URL, methods: TaskMethods) {
    this.#scheduler = scheduler;
    this.#module = module;
    this.#methods = methods;
  }

  call(method: string, input: unknown, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (this.#closed) {
      return Promise.reject(
        new Error(`expected an open task, got a closed one (${this.#module.href}): start it again`),
      );
    }
    const received = structuredClone(input, { transfer: [...transfer] });
    const run = async (): Promise<unknown> => {
      const result = await this.#scheduler.later(`task method ${method}`, 0, () => {
        const found = this.#methods[method];
        if (found === undefined) {
          throw new TypeError(
            `expected a method of the task in ${this.#module.href} (${Object.keys(this.#methods).join(', ')}), got ${method}`,
          );
        }
        return found(received as never);
      });
      return structuredClone(result);
    };
    const outcome = this.#last.then(run);
    this.#last = outcome.catch(() => undefined);
    return outcome;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
  }
}
