/** An engine of which single members are replaced: to hold a barrier, to make keys slow, to refuse. */
import type { EngineView } from '@nendb/engine';

export function withMembers(engine: EngineView, members: Partial<EngineView>): EngineView {
  return new Proxy(engine, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return Reflect.get(members, name);
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

/** A promise that is settled from outside. */
export class Gate {
  readonly opened: Promise<void>;
  open!: () => void;
  fail!: (error: Error) => void;

  constructor() {
    this.opened = new Promise((resolve, reject) => {
      this.open = resolve;
      this.fail = reject;
    });
  }
}

/** Lets everything that can run without the gate run. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
