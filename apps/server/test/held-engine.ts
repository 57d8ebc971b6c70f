/**
 * A real engine whose disk is as slow as the test wants: everything behaves as it does, but the
 * news of a finished sync is kept until the test lets it through.
 */
import { Engine, type EngineOptions, type EngineView } from '@nendb/engine';

export interface HeldEngine {
  open(options: EngineOptions): Promise<EngineView>;
  /** From now on no sync becomes known. */
  hold(): void;
  /** Makes all syncs known that have finished, and those to come. */
  letThrough(): Promise<void>;
  /** The engine itself. */
  readonly inner: EngineView;
  /** Pretends that too much waits for the disk. */
  pressure: boolean | undefined;
  /** Pretends that syncs have failed under a weak policy. */
  readOnly: boolean;
}

export function heldEngine(): HeldEngine {
  let inner: EngineView | undefined;
  let held = false;
  let shownLsn: EngineView['durableLsn'] | undefined;
  const listeners = new Set<Parameters<EngineView['onDurable']>[0]>();

  const control: HeldEngine = {
    pressure: undefined,
    readOnly: false,
    get inner() {
      if (!inner) throw new Error('expected an open engine: call open() first');
      return inner;
    },
    hold() {
      held = true;
      shownLsn = this.inner.durableLsn;
    },
    async letThrough() {
      await this.inner.barrier();
      held = false;
      for (const listener of listeners) listener(this.inner.durableLsn);
    },
    async open(options) {
      const engine = await Engine.open(options);
      inner = engine;
      engine.onDurable((lsn) => {
        if (!held) for (const listener of listeners) listener(lsn);
      });
      return new Proxy<EngineView>(engine, {
        get(target, name: keyof EngineView) {
          if (name === 'durableLsn') return held ? shownLsn : target.durableLsn;
          if (name === 'pressure') return control.pressure ?? target.pressure;
          if (name === 'health' && control.readOnly) {
            return () => ({ ...target.health(), healthy: false, state: 'read-only' });
          }
          if (name === 'onDurable') {
            return (listener: Parameters<EngineView['onDurable']>[0]) => {
              listeners.add(listener);
              return () => listeners.delete(listener);
            };
          }
          const value = target[name];
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
  return control;
}
