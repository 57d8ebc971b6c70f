/** A process that fills a mapped table and kills itself: path, size of the region, entries. */
import { DashTable } from '@nendb/dash-hash';
import { Region } from '@nendb/pmem';
import { KEY_BYTES, makeKey, VALUE_BYTES } from './keys.js';

const [path, bytesMax, count] = process.argv.slice(2);
const region = await Region.open({ backend: 'mmap', path, bytesMax: Number(bytesMax) });
const table = DashTable.open(region);
const value = Buffer.alloc(VALUE_BYTES, 7);
for (let i = 0; i < Number(count); i++) {
  table.put(makeKey(i, 1), 0, KEY_BYTES, value, 0, VALUE_BYTES, 0, 0);
}
process.kill(process.pid, 'SIGKILL');
