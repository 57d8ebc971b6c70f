/**
 * A process that fills one store and says what an entry takes, as it stands and after a collection:
 * which (`dash`, `map`, `map-alone`), how many.
 */
import { alone, dash, map } from './stores.js';

const STORES = { dash: () => dash(), map: () => map(), 'map-alone': () => map(alone) };

const [kind, count] = process.argv.slice(2);
const collect = () => globalThis.gc?.();

collect();
const before = process.memoryUsage().rss;
const store = STORES[kind as keyof typeof STORES]();
for (let i = 0; i < Number(count); i++) store.put(i, 1);
const bytes = () => (process.memoryUsage().rss - before) / Number(count);
const asItStands = bytes();
collect();
if (!store.get(0, 1)) throw new Error('expected the first entry to be there');
process.stdout.write(`${asItStands} ${bytes()}\n`);
