/**
 * Applies a run of effects to a store: the only way its contents change, live, in recovery and
 * from a snapshot alike (R1).
 *
 * The flags are obeyed, not trusted to be news: an effect that created its key begins with none,
 * and one that removed its key leaves none. Over a store that already holds later effects this is
 * what makes a replay come out the same: a key that came back meanwhile must not keep the expiry
 * time or the fields of its former life.
 */
import type { Store } from '../stores/store.js';
import type { Databases } from './databases.js';
import { EffectType } from './format.js';
import type { EffectReader } from './reader.js';

/** Whoever needs to know what is about to change. */
export interface EffectWatcher {
  /** `effect` is lent for the time of the call; store and databases are as they were before it. */
  beforeEffect(effect: EffectReader): void;
}

/**
 * Applies `bytes[from..to]` through `reader` and returns how many effects there were. Throws
 * `FormatError` where the bytes are no effects; what came before has been applied by then.
 * `watcher` sees each effect before it is applied.
 */
export function applyEffects(
  reader: EffectReader,
  bytes: Uint8Array,
  from: number,
  to: number,
  store: Store,
  databases: Databases,
  watcher?: EffectWatcher,
): number {
  reader.reset(bytes, from, to);
  let count = 0;
  while (reader.next()) {
    watcher?.beforeEffect(reader);
    applyOne(reader, store, databases);
    count++;
  }
  return count;
}

function applyOne(effect: EffectReader, store: Store, databases: Databases): void {
  const { bytes, namespace, keyFrom, keyTo } = effect;
  switch (effect.type) {
    case EffectType.put:
      store.putString(
        namespace,
        bytes,
        keyFrom,
        keyTo,
        bytes,
        effect.valueFrom,
        effect.valueTo,
        effect.expireAtMs,
      );
      return;
    case EffectType.delete:
      store.remove(namespace, bytes, keyFrom, keyTo);
      return;
    case EffectType.expire:
      store.setExpiry(namespace, bytes, keyFrom, keyTo, effect.expireAtMs);
      return;
    case EffectType.patch:
      if (effect.created) store.remove(namespace, bytes, keyFrom, keyTo);
      store.patchString(
        namespace,
        bytes,
        keyFrom,
        keyTo,
        effect.at,
        bytes,
        effect.valueFrom,
        effect.valueTo,
        effect.newLength,
      );
      return;
    case EffectType.fieldPut:
      if (effect.created) store.remove(namespace, bytes, keyFrom, keyTo);
      store.putField(
        namespace,
        effect.valueType,
        bytes,
        keyFrom,
        keyTo,
        bytes,
        effect.fieldFrom,
        effect.fieldTo,
        bytes,
        effect.valueFrom,
        effect.valueTo,
      );
      return;
    case EffectType.fieldDrop:
      if (effect.removed) store.remove(namespace, bytes, keyFrom, keyTo);
      else
        store.removeField(
          namespace,
          bytes,
          keyFrom,
          keyTo,
          bytes,
          effect.fieldFrom,
          effect.fieldTo,
        );
      return;
    case EffectType.fieldExpire:
      store.setFieldExpiry(
        namespace,
        bytes,
        keyFrom,
        keyTo,
        bytes,
        effect.fieldFrom,
        effect.fieldTo,
        effect.expireAtMs,
      );
      return;
    case EffectType.databases:
      databases.assign(effect.namespaces, effect.nextNamespace);
      store.retainNamespaces(databases.namespaces, databases.nextNamespace);
  }
}
