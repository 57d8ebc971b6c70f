/**
 * A process that writes into a table in a mapped file until it is killed. Each step sets the keys of a
 * group to the step's number and says the number on stdout; a few groups are removed again.
 */
import { writeSync } from 'node:fs';

const [dashUrl, pmemUrl, path, bytesMax, first] = process.argv.slice(2);
const { DashTable } = await import(dashUrl);
const { Region } = await import(pmemUrl);
const region = await Region.open({ backend: 'mmap', path, bytesMax: Number(bytesMax) });
const table = DashTable.open(region, { chunkBytes: 65_536 });
const GROUP = 40;
for (let step = Number(first); ; step++) {
  for (let i = 0; i < GROUP; i++) {
    const key = Buffer.from(`${step % 700}:${i}`);
    if (step % 11 === 5) table.delete(key);
    else table.set(key, Buffer.from(`${step} `.repeat(1 + (i % 30))));
  }
  writeSync(1, `${step}\n`);
}
