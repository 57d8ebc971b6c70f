/** A log of three segments, and every way to damage its files; how recovery judges the result. */
import { lsn } from '@nendb/codec';
import { SimVfs } from '@nendb/vfs/sim';
import { WalError, type WalReplay, type WalVerdict } from '@nendb/wal';
import { append, appendBatch, DIR, Oracle, openSim } from '../sim-log.js';

/** Names in the log's directory, and contents. */
export type Files = Map<string, Uint8Array>;
/** How the log's last life ended. */
export type Ending = 'closed' | 'idle' | 'busy';

export const SEGMENTS = [1, 2, 3].map((n) => `${String(n).padStart(16, '0')}.wal`);
export const LAST = SEGMENTS[2];

export interface Built {
  files: Files;
  oracle: Oracle;
  /** An earlier state of the last life. */
  older: Files;
}

/**
 * Three lives, three segments: closed, crashed when idle, and the last one as asked. `more`: sizes of
 * records that each life begins with, one frame for all.
 */
export async function build(ending: Ending, more: readonly number[] = []): Promise<Built> {
  const oracle = new Oracle();
  let sim = new SimVfs({ seed: 5, record: false });
  let older: Files = new Map();
  for (const end of ['closed', 'idle', ending] as const) {
    await sim.run(async () => {
      // Room for all of a life in one segment.
      const { wal } = await openSim(sim, { preallocate: false, segmentBytesMax: 16_384 });
      await Promise.all(more.map((bytes) => append(wal, oracle, bytes)));
      await append(wal, oracle, 30);
      older = filesOf(sim);
      await appendBatch(wal, oracle, [5, 0, 70]);
      await append(wal, oracle, 40);
      if (end === 'idle') await sim.settle(500);
      if (end === 'closed') await wal.close();
    });
    sim = SimVfs.fromImage(sim.crashImage({ choice: 'all' }), { seed: 5, record: false });
  }
  return { files: filesOf(sim), oracle, older };
}

/** Seven records of up to 900 bytes a life, rotated often: four segments or more, trailers in all. */
export async function buildRotated(): Promise<Built> {
  const oracle = new Oracle();
  const sim = new SimVfs({ seed: 6, record: false });
  let older: Files = new Map();
  await sim.run(async () => {
    const { wal } = await openSim(sim, { preallocate: false });
    for (let i = 0; i < 16; i++) {
      await append(wal, oracle, 200 + 97 * (i % 8));
      if (i === 14) older = filesOf(sim);
    }
    await wal.close();
  });
  return { files: filesOf(sim), oracle, older };
}

/** What is on the disk of `sim`, but for the lock. */
export function filesOf(sim: SimVfs): Files {
  const files: Files = new Map();
  for (const [path, bytes] of sim.crashImage({ kind: 'kill' }).files()) {
    if (!path.endsWith('LOCK')) files.set(path.slice(DIR.length + 1), bytes);
  }
  return files;
}

/** A machine with these files in the log's directory. */
export async function machineWith(files: Files, record = false): Promise<SimVfs> {
  const sim = new SimVfs({ seed: 9, record: false });
  await sim.run(async () => {
    sim.mkdirSync(DIR);
    for (const [name, bytes] of files) {
      const file = sim.openSync(`${DIR}/${name}`, 'create');
      if (bytes.length > 0) file.writeAtSync(bytes, 0);
      file.closeSync();
    }
  });
  return record
    ? SimVfs.fromImage(sim.crashImage({ kind: 'power', choice: 'all' }), { seed: 9 })
    : sim;
}

export interface Outcome {
  verdict: WalVerdict;
  records: [number, string][];
  error?: WalError;
}

/** How the next opening judges the log, reading all of it; it may be changed. */
export async function recovered(sim: SimVfs): Promise<Outcome> {
  const records: [number, string][] = [];
  const recover: WalReplay = {
    from: lsn(1),
    onRecord: (at, bytes, from, to) => {
      records.push([at, Buffer.from(bytes.subarray(from, to)).toString()]);
    },
  };
  try {
    const { wal, recovery } = await openSim(sim, { preallocate: false, recover });
    await wal.close();
    return { verdict: recovery.verdict, records };
  } catch (error) {
    if (!(error instanceof WalError) || !error.verdict) throw error;
    return { verdict: error.verdict, records, error };
  }
}

export function same(a: Files, b: Files): boolean {
  if (a.size !== b.size) return false;
  for (const [name, bytes] of a) {
    const other = b.get(name);
    if (!other || Buffer.compare(bytes, other) !== 0) return false;
  }
  return true;
}

/** A log whose files are damaged in one way, and how. */
export interface Damaged {
  what: string;
  files: Files;
}

/** One bit of every `step`th byte, another bit each time. */
export function* flips(files: Files, step: number): Generator<Damaged> {
  let nth = 0;
  for (const [name, bytes] of files) {
    for (let at = nth % step; at < bytes.length; at += step) {
      // HEAD's slots are all of it that is ever read.
      if (name === 'HEAD' && at % 4096 >= 512) continue;
      const flipped = bytes.slice();
      flipped[at] ^= 1 << (nth++ % 8);
      yield { what: `${name} byte ${at} flipped`, files: new Map(files).set(name, flipped) };
    }
  }
}

/** Every file cut to every `step`th length. */
export function* cuts(files: Files, step: number): Generator<Damaged> {
  for (const [name, bytes] of files) {
    // HEAD is mostly zeros between its slots.
    for (let length = 0; length < bytes.length; length += name === 'HEAD' ? 8 * step : step) {
      const cut = bytes.slice(0, length);
      yield { what: `${name} cut to ${length}`, files: new Map(files).set(name, cut) };
    }
  }
}

/** Files that are lacking, swapped, doubled, emptied or older than the rest. */
export function* exchanges({ files, older }: Built): Generator<Damaged> {
  const names = [...files.keys()].sort();
  const next = `${String(names.length).padStart(16, '0')}.wal`;
  for (const name of names) {
    const less = new Map(files);
    less.delete(name);
    yield { what: `${name} is missing`, files: less };
    yield { what: `${name} is alone`, files: new Map([[name, files.get(name) as Uint8Array]]) };
    const old = older.get(name);
    if (old) yield { what: `${name} is an older copy`, files: new Map(files).set(name, old) };
    const bytes = files.get(name) as Uint8Array;
    yield {
      what: `${name} is zeros`,
      files: new Map(files).set(name, new Uint8Array(bytes.length)),
    };
    if (name === 'HEAD') continue;
    yield { what: `${name} is also the next one`, files: new Map(files).set(next, bytes) };
    for (const other of names) {
      if (other <= name || other === 'HEAD') continue;
      const swapped = new Map(files).set(name, files.get(other) as Uint8Array).set(other, bytes);
      yield { what: `${name} and ${other} are swapped`, files: swapped };
      const lacking = new Map(less);
      lacking.delete(other);
      yield { what: `${name} and ${other} are missing`, files: lacking };
    }
  }
}

/** Zeros over every stretch of `length` bytes that starts at a multiple of `step`. */
export function* holes(files: Files, length: number, step: number): Generator<Damaged> {
  for (const [name, bytes] of files) {
    for (let at = 0; at < bytes.length; at += step) {
      if (name === 'HEAD' && at % 4096 >= 512) continue;
      const holed = bytes.slice().fill(0, at, at + length);
      yield { what: `${name} zeroed from ${at}`, files: new Map(files).set(name, holed) };
    }
  }
}
