/** A process that fills one store and says what an entry takes: `dash` or `map`, how many. */
import { dash, map } from './stores.js';

const [kind, count] = process.argv.slice(2);
const collect = () => globalThis.gc?.();

collect();
const before = process.memoryUsage().rss;
const store = kind === 'dash' ? dash() : map();
for (let i = 0; i < Number(count); i++) store.put(i, 1);
collect();
const bytes = (process.memoryUsage().rss - before) / Number(count);
if (!store.get(0, 1)) throw new Error('expected the first entry to be there');
process.stdout.write(`${bytes}\n`);
