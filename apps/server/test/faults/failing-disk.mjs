/**
 * Loaded before the server (`node --import`): a disk that goes bad at SIGUSR2.
 *
 * NODE_TEST_DISK_FAULT says how: `sync` fails every sync, `write` every write to a file, `slow` makes
 * every sync take SLOW_MS. Standard streams go on working.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const STANDARD_STREAMS = 2;
const SLOW_MS = 200;
const SYNCS = ['fsync', 'fsyncSync', 'fdatasync', 'fdatasyncSync'];
const WRITES = ['write', 'writeSync', 'writev', 'writevSync'];

const fault = process.env.NODE_TEST_DISK_FAULT;
let bad = false;
process.on('SIGUSR2', () => {
  bad = true;
});

function failure(name) {
  const syscall = name.replace('Sync', '');
  const error = new Error(`EIO: i/o error, ${syscall}`);
  return Object.assign(error, { errno: -5, code: 'EIO', syscall });
}

function fail(name, args) {
  if (name.endsWith('Sync')) throw failure(name);
  setImmediate(args.at(-1), failure(name));
}

function delay(name, args, real) {
  if (name.endsWith('Sync')) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SLOW_MS);
    return real(...args);
  }
  setTimeout(() => real(...args), SLOW_MS);
}

for (const name of fault === 'write' ? WRITES : SYNCS) {
  const real = fs[name];
  fs[name] = (...args) => {
    if (!bad || args[0] <= STANDARD_STREAMS) return real(...args);
    return fault === 'slow' ? delay(name, args, real) : fail(name, args);
  };
}
syncBuiltinESMExports();
