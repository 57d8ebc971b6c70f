/**
 * A thread that reads what another one writes. Each block holds one number in all of its words: a
 * block that was freed under the reader shows.
 */
import { parentPort, workerData } from 'node:worker_threads';

const { pmemUrl, region: regionHandle, epochs: epochsHandle, control, mode, words } = workerData;
const { Epochs, Region } = await import(pmemUrl);
const region = Region.attach(regionHandle);
const epochs = Epochs.attach(epochsHandle);
const reader = epochs.register();
const { i32 } = region.windows[0];
const STARTED = 0;
const STOP = 1;
const PAUSE = 2;
let reads = 0;

/** Sleeps between finding a block and reading it now and then, to give the writer time to free it. */
function wrongIn(unit) {
  const at = unit * 2;
  const first = Atomics.load(i32, at);
  if (first === -1) return 1;
  if (reads % 64 === 0) Atomics.wait(control, PAUSE, 0, 2);
  for (let i = 0; i < words; i++) if (i32[at + i] !== first) return 1;
  return 0;
}

if (mode === 'hang') {
  reader.enter();
  Atomics.add(control, STARTED, 1);
  Atomics.notify(control, STARTED);
  for (;;);
}
if (mode === 'throw') {
  reader.enter();
  throw new Error('the reader dies');
}

const table = region.root(0) / 4;
let wrong = 0;
Atomics.add(control, STARTED, 1);
while (Atomics.load(control, STOP) === 0) {
  if (mode === 'guarded') reader.enter();
  const unit = Atomics.load(i32, table + (reads % 16));
  wrong += wrongIn(unit);
  if (mode === 'guarded') reader.exit();
  reads++;
}
reader.release();
parentPort.postMessage({ reads, wrong });
epochs.close();
