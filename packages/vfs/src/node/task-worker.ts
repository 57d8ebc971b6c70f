/**
 * The entry of a task's worker thread: makes the task, then runs its calls one after the other, in
 * the order in which they came.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { TaskFactory, TaskMethods } from '../vfs.js';
import { nodeVfs } from './node-vfs.js';
import {
  packFailure,
  READY_ID,
  type TaskCall,
  type TaskReply,
  type TaskStart,
} from './task-protocol.js';

const port = parentPort;
if (port === null) throw new Error('expected to run in a worker thread, got the main thread');
const { module, init } = workerData as TaskStart;

async function reply(id: number, work: () => unknown): Promise<void> {
  let message: TaskReply;
  try {
    message = { id, result: await work() };
  } catch (error) {
    message = { id, failure: packFailure(error) };
  }
  try {
    port?.postMessage(message);
  } catch (error) {
    port?.postMessage({ id, failure: packFailure(error) } satisfies TaskReply);
  }
}

let methods: TaskMethods = {};
let last = reply(READY_ID, async () => {
  const factory = ((await import(module)) as { default: TaskFactory }).default;
  methods = factory(init as never, nodeVfs);
});

port.on('message', (call: TaskCall) => {
  last = last.then(() =>
    reply(call.id, () => {
      const method = methods[call.method];
      if (method === undefined) {
        throw new TypeError(
          `expected a method of the task in ${module} (${Object.keys(methods).join(', ')}), got ${call.method}`,
        );
      }
      return method(call.input as never);
    }),
  );
});
