/** Small trees on the simulated machine: they flush and compact after a few writes. */
import { Lsm, type LsmOptions } from '@nendb/lsm';
import type { SimVfs } from '@nendb/vfs/sim';

export const DIR = '/db';

export const SMALL: Omit<LsmOptions, 'dir' | 'vfs'> = {
  memtableBytes: 2048,
  tableBytes: 1024,
  blockBytes: 256,
  levelBaseBytes: 4096,
  level0RunsCompact: 3,
  cacheBytes: 16 * 1024,
  logPreallocateBytes: 0,
  sync: 'always',
};

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

export function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString();
}

/** Opens the tree in `/db` of the machine, or begins one. */
export function openSim(vfs: SimVfs, options: Partial<LsmOptions> = {}): Promise<Lsm> {
  return Lsm.open({ dir: DIR, vfs, ...SMALL, ...options });
}

/** All entries, as text. */
export function contents(db: Lsm): [string, string][] {
  const cursor = db.cursor();
  const found: [string, string][] = [];
  while (cursor.next()) found.push([text(cursor.key) ?? '', text(cursor.value) ?? '']);
  cursor.close();
  return found;
}
