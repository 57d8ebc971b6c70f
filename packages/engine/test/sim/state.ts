/** The state of a database as its users see it, in a form that can be compared. */
import { DATABASE_COUNT } from '../../src/effects/databases.js';
import type { Engine } from '../../src/engine.js';
import { ValueType } from '../../src/stores/store.js';

/** Everything in every database, as one line of text. */
export function stateOf(engine: Engine): string {
  const tx = engine.begin();
  try {
    const databases: unknown[] = [];
    for (let database = 0; database < DATABASE_COUNT; database++) {
      if (tx.keyCount(database) === 0) continue;
      const keys: Buffer[] = [];
      let cursor = 0;
      do {
        cursor = tx.scan(database, cursor, 100, (key) => keys.push(Buffer.from(key)));
      } while (cursor !== 0);
      const contents = keys.map((key) => {
        const view = tx.find(database, key, 0, key.length);
        if (!view) throw new Error('expected a scanned key to be there');
        const { type, expireAtMs } = view;
        if (type === ValueType.string) return [String(key), expireAtMs, String(view.bytes())];
        const fields: [string, string, number][] = [];
        tx.scanFields(database, key, 0, key.length, 0, 10_000, (field, value) => {
          fields.push([String(field), String(value.bytes()), value.expireAtMs]);
        });
        return [String(key), expireAtMs, fields.sort()];
      });
      databases.push([database, contents.sort()]);
    }
    return JSON.stringify(databases);
  } finally {
    engine.abort();
  }
}
