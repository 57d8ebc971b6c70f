/**
 * Where the native CRC-32 overtakes the table-driven one: sets `CRC_NATIVE_BYTES_MIN`.
 *
 *     node packages/codec/bench/crc32.bench.mjs
 *
 * Prints, per length, the best of several rounds of each, taken in turns so that a noisy machine
 * disturbs both alike. The crossover is the first length from which the native one stays ahead.
 */
import { crc32 as native } from 'node:zlib';
import crcTable from 'crc-32';

const LENGTHS = [
  16, 32, 64, 96, 128, 192, 256, 288, 320, 352, 384, 416, 448, 480, 512, 575, 640, 1024, 4096,
  65_536,
];
const ROUNDS = 15;
const BYTES_PER_ROUND = 4 << 20;
const CALLS_PER_ROUND_MAX = 40_000;

let sink = 0;

function nsPerCall(run, bytes, calls) {
  const startNs = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) sink ^= run(bytes, i);
  return Number(process.hrtime.bigint() - startNs) / calls;
}

const table = (bytes, seed) => crcTable.buf(bytes, seed) >>> 0;
const rows = [];
for (const length of LENGTHS) {
  const bytes = Buffer.alloc(length, 0xa5);
  const calls = Math.min(CALLS_PER_ROUND_MAX, Math.ceil(BYTES_PER_ROUND / length));
  let tableNs = Number.POSITIVE_INFINITY;
  let nativeNs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    tableNs = Math.min(tableNs, nsPerCall(table, bytes, calls));
    nativeNs = Math.min(nativeNs, nsPerCall(native, bytes, calls));
  }
  rows.push({ length, tableNs, nativeNs });
  console.log(
    `${String(length).padStart(6)} B   table ${tableNs.toFixed(1).padStart(9)} ns   native ${nativeNs.toFixed(1).padStart(9)} ns`,
  );
}
let crossover = rows.length;
while (crossover > 0 && rows[crossover - 1].nativeNs < rows[crossover - 1].tableNs) crossover--;
console.log(
  crossover < rows.length
    ? `native stays ahead from ${rows[crossover].length} B on (${sink & 1 ? 'odd' : 'even'})`
    : 'native never stays ahead',
);
