/** Reads for as many milliseconds as it is told to, and answers with reads a second. */
import { parentPort, workerData } from 'node:worker_threads';
import { DashReader } from '@nendb/dash-hash';
import { makeKey, scattered, VALUE_BYTES } from './keys.js';

const { handle, count, number } = workerData as { handle: unknown; count: number; number: number };
const reader = DashReader.attach(handle);
const target = Buffer.alloc(VALUE_BYTES);
let at = number * (count >>> 1);

parentPort?.on('message', (ms: number) => {
  const beganMs = performance.now();
  let reads = 0;
  let elapsedMs = 0;
  while (elapsedMs < ms) {
    for (let i = 0; i < 500; i++) {
      const found = reader.getInto(makeKey(scattered(at++ % count, count), 1), target, 0);
      if (found !== VALUE_BYTES) throw new Error('expected every key to be there');
    }
    reads += 500;
    elapsedMs = performance.now() - beganMs;
  }
  parentPort?.postMessage((reads / elapsedMs) * 1000);
});
