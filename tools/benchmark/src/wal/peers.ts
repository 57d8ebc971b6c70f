/** What people use instead: each at its own durable setting, one writer and 64. */
import { appendFile } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { open as openLmdb } from 'lmdb';
import { type Load, repeatFor } from '../measure.js';

export interface Peer {
  name: string;
  /** `writers` puts are under way at a time, each awaited. */
  load: (writers: number, value: Buffer) => Load;
  close: () => Promise<void>;
}

/** Peers on files below `dir`. */
export async function openPeers(dir: string): Promise<Peer[]> {
  return [
    await classicLevel(`${dir}/classic-level`),
    lmdb(`${dir}/lmdb`),
    appendFileLoop(`${dir}/append`),
  ];
}

async function classicLevel(path: string): Promise<Peer> {
  const db = new ClassicLevel<string, Buffer>(path, { valueEncoding: 'buffer' });
  await db.open();
  let key = 0;
  return {
    name: 'classic-level, sync: true',
    load: concurrent((value) => db.put(String(key++), value, { sync: true })),
    close: () => db.close(),
  };
}

function lmdb(path: string): Peer {
  const db = openLmdb<Buffer, number>({ path, encoding: 'binary', overlappingSync: false });
  let key = 0;
  return {
    name: 'lmdb, synced commits',
    load: concurrent(async (value) => {
      await db.put(key++, value);
    }),
    close: async () => {
      await db.close();
    },
  };
}

function appendFileLoop(path: string): Peer {
  return {
    name: 'fs.appendFile, flush: true',
    load: concurrent((value) => appendFile(path, value, { flush: true })),
    close: async () => {},
  };
}

function concurrent(put: (value: Buffer) => Promise<void>) {
  return (writers: number, value: Buffer): Load =>
    (ms) =>
      repeatFor(ms, writers, async () => {
        await Promise.all(Array.from({ length: writers }, () => put(value)));
      });
}
