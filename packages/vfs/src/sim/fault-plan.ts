/** One planned fault: which operation it waits for, and whether it has happened. */
import type { OpKind } from './op-kind.js';

/** When a fault happens. Operations are counted from the moment it is planned. */
export interface Moment {
  /** The nth operation of the kind from now on; from 1. */
  nth: number;
  /** Only operations whose path contains this. */
  path?: string;
}

export interface Planned {
  readonly describe: string;
  readonly op: OpKind;
  readonly path: string | undefined;
  left: number;
  readonly sticky: boolean;
  fired: number;
}

/** Throws `RangeError` where `nth` is not an integer from 1. */
export function planned(
  plan: Moment & { op: OpKind; sticky?: boolean },
  describe: string,
): Planned {
  if (!Number.isSafeInteger(plan.nth) || plan.nth < 1) {
    throw new RangeError(`expected nth to be an integer from 1, got ${plan.nth}`);
  }
  const { op, path, nth, sticky = false } = plan;
  return { describe, op, path, left: nth, sticky, fired: 0 };
}

/** Counts an operation; whether the plan's turn has come. */
export function due(plan: Planned, op: OpKind, path: string): boolean {
  if (plan.op !== op || (plan.path !== undefined && !path.includes(plan.path))) return false;
  plan.left--;
  if (plan.left !== 0 && !(plan.sticky && plan.left < 0)) return false;
  plan.fired++;
  return true;
}
