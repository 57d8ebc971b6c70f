/**
 * What compressing and sealing a block cost, by its size. Run after a build:
 * `node packages/codec/bench/block.bench.mjs`.
 */
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { FileCipher } from '../dist/index.js';

const ROUND_MS = 60;

/** Records as a database has them: field names repeat, values do not. */
function records(bytes) {
  let text = '';
  for (let i = 0; text.length < bytes; i++) {
    const id = createHash('md5').update(String(i)).digest('hex').slice(0, 12);
    text += `{"id":"${id}","name":"user-${i}","visits":${(i * 7919) % 1000},"active":true}\n`;
  }
  return Buffer.from(text.slice(0, bytes));
}

/** Microseconds of one call, the best of three rounds. */
function microseconds(run) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    let calls = 0;
    while (performance.now() - start < ROUND_MS) {
      run();
      calls++;
    }
    best = Math.min(best, ((performance.now() - start) * 1000) / calls);
  }
  return best;
}

const cipher = new FileCipher({ key: new Uint8Array(32), fileId: new Uint8Array(16), keyId: 0 });
let block = 0;
for (const bytes of [64, 128, 256, 1024, 4096, 32768, 262128]) {
  const plain = records(bytes);
  const fast = deflateRawSync(plain, { level: 1 });
  const small = deflateRawSync(plain, { level: 6 });
  const sealed = cipher.seal(block++, 0, plain);
  const at = block - 1;
  console.log(
    [
      `${String(bytes).padStart(7)} B`,
      `deflate 1 ${microseconds(() => deflateRawSync(plain, { level: 1 })).toFixed(1)} us to ${fast.length}`,
      `deflate 6 ${microseconds(() => deflateRawSync(plain, { level: 6 })).toFixed(1)} us to ${small.length}`,
      `inflate ${microseconds(() => inflateRawSync(fast)).toFixed(1)} us`,
      `seal ${microseconds(() => cipher.seal(block++, 0, plain)).toFixed(1)} us`,
      `open ${microseconds(() => cipher.open(at, 0, sealed)).toFixed(1)} us`,
    ].join('   '),
  );
}
