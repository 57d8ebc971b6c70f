/** The messages between a task's owner and its worker thread. */

/** What the worker starts with, as its `workerData`. */
export interface TaskStart {
  module: string;
  init: unknown;
}

export interface TaskCall {
  id: number;
  method: string;
  input: unknown;
}

/** An error that crosses threads whole: structured clone would drop name, code and details. */
export interface TaskFailure {
  name: string;
  message: string;
  stack: string | undefined;
  details: Record<string, unknown>;
}

/** The first reply, with id 0, says that the task was made. */
export type TaskReply = { id: number; result: unknown } | { id: number; failure: TaskFailure };

export const READY_ID = 0;

export function packFailure(error: unknown): TaskFailure {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), stack: undefined, details: {} };
  }
  const details: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error)) {
    if (typeof value !== 'function' && typeof value !== 'symbol') details[key] = value;
  }
  return { name: error.name, message: error.message, stack: error.stack, details };
}

export function unpackFailure(failure: TaskFailure): Error {
  const error = Object.assign(new Error(failure.message), failure.details);
  if (error.name !== failure.name) error.name = failure.name;
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
