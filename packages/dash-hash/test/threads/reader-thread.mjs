/**
 * A thread that reads a table while another one writes it. Of every key a shared word says what must
 * be found: sequence << 2 | changing << 1 | present. If the word is the same, and not changing, before
 * and after a read, the read must agree with it, down to the bytes of the value.
 */
import { parentPort, workerData } from 'node:worker_threads';

const { urls, handle, control, states, mode, keys, permanentKeys } = workerData;
const { DashReader } = await import(urls.dash);
const { Region } = await import(urls.pmem);
const { hash32 } = await import(urls.hash);
const format = await import(urls.format);
const STARTED = 0;
const STOP = 1;

const reader = DashReader.attach(handle);
const value = new Uint8Array(4096);
const view = new DataView(value.buffer);
const found = { lost: 0, torn: 0, stale: 0, resurrected: 0, unscanned: 0, reads: 0, scans: 0 };

function begun() {
  Atomics.add(control, STARTED, 1);
  Atomics.notify(control, STARTED);
}

if (mode === 'hang') {
  reader.read(() => {
    begun();
    for (;;);
  });
}

/** Looks without a version check, and takes its time between the two buckets. */
function uncheckedReader() {
  const { windows } = Region.attach(handle.region);
  const window = (unit) => windows[unit >>> 27];
  const word = (unit) => (unit & 0x7ffffff) << 1;
  const header = window(handle.table).i32;
  const at = word(handle.table);
  const seeds = [header[at + format.TABLE.seed0], header[at + format.TABLE.seed1]];
  const pause = new Int32Array(new SharedArrayBuffer(4));
  return (key) => {
    const hash = hash32(seeds[0], seeds[1], key, 0, key.length);
    const directory = Atomics.load(header, at + format.TABLE.directory);
    const entries = window(directory).i32;
    const depth = entries[word(directory)];
    const entry = Atomics.load(entries, word(directory) + 1 + ((hash >>> 1) >>> (31 - depth)));
    const { i32 } = window(entry);
    const segment = word(entry & ~format.CLASS_MASK);
    const normal = format.NORMAL_BUCKETS[entry & format.CLASS_MASK];
    const home = ((hash & format.HOME_MASK) * normal) >>> format.HOME_BITS;
    const inBucket = (number) => {
      const bucket = segment + number * format.BUCKET_WORDS;
      const used = Atomics.load(i32, bucket + format.BUCKET.bits);
      for (let slot = 0; slot < 12; slot++) {
        const place = bucket + format.BUCKET.slots + slot * 2;
        if (((used >>> slot) & 1) === 0 || i32[place + 1] !== hash) continue;
        const record = i32[place];
        if (!reader.records.hasKey(record, key, 0, key.length)) continue;
        return reader.records.copyValue(record, value, 0);
      }
      return -1;
    };
    const first = inBucket(home);
    if (first !== -1) return first;
    Atomics.wait(pause, 0, 0, 0.3);
    const second = inBucket((home + 1) % normal);
    if (second !== -1) return second;
    for (let i = 0; i < format.STASH_BUCKETS[entry & format.CLASS_MASK]; i++) {
      const stashed = inBucket(normal + i);
      if (stashed !== -1) return stashed;
    }
    return -1;
  };
}

const unchecked = mode === 'unchecked' ? uncheckedReader() : undefined;

function find(key) {
  if (unchecked === undefined) return reader.getInto(key, value, 0);
  return reader.read(() => unchecked(key));
}

/** Whether a value is whole: its number, its key, and bytes that follow from them. */
function isWhole(length, number) {
  if (length < 8 || view.getUint32(4) !== number) return false;
  const fill = (view.getUint32(0) * 31 + number) & 0xff;
  for (let i = 8; i < length; i++) if (value[i] !== fill) return false;
  return true;
}

function check(number) {
  const key = keys[number];
  const before = Atomics.load(states, number);
  const length = find(key);
  const after = Atomics.load(states, number);
  found.reads++;
  if (length !== -1 && !isWhole(length, number)) found.torn++;
  if (before !== after || (before & 2) !== 0) return;
  if ((before & 1) === 0) {
    if (length !== -1) found.resurrected++;
  } else if (length === -1) found.lost++;
  else if (view.getUint32(0) !== before >>> 2) found.stale++;
}

/** A whole scan: what is never removed is met. */
function scan() {
  const missing = new Set(keys.slice(0, permanentKeys).map((key) => `${key}`));
  let cursor = 0;
  const key = new Uint8Array(64);
  do {
    cursor = reader.scan(cursor, 100, (record) => {
      const length = reader.records.copyKey(record, key, 0);
      missing.delete(`${key.subarray(0, length)}`);
    });
  } while (cursor !== 0);
  found.unscanned += missing.size;
  found.scans++;
}

begun();
let state = handle.table | 1;
while (Atomics.load(control, STOP) === 0) {
  for (let i = 0; i < 200; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    check((state >>> 0) % keys.length);
    if (unchecked !== undefined && Atomics.load(control, STOP) !== 0) break;
  }
  if (mode === 'checked' && found.reads % 10_000 === 0) scan();
}
found.retries = reader.retries;
reader.close();
parentPort.postMessage(found);
