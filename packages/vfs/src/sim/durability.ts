/** What a power cut could take of one file right now: the detector behind early acknowledgements. */
import type { Disk } from './disk.js';
import { SECTOR_BYTES } from './sector.js';

export interface ByteRange {
  /** First byte. Default 0. */
  from?: number;
  /** Behind the last byte. Default: the size. */
  to?: number;
}

/**
 * Why the bytes in `range` of the file at `path`, its size (where no range is given) or a name on the
 * way might not survive; `undefined` where they do.
 */
export function whyNotDurable(disk: Disk, path: string, range: ByteRange): string | undefined {
  if (disk.stat(path)?.kind === 'directory') {
    const taken = disk.unsafeName(path);
    return taken === undefined ? whyNotBelow(disk, path) : unsafe(taken);
  }
  const { cache, durable } = disk.file(disk.openFile(path));
  const name = disk.unsafeName(path);
  if (name !== undefined) return unsafe(name);
  const { from = 0, to = cache.size } = range;
  const dirty = cache
    .differences(durable)
    .find((index) => (index + 1) * SECTOR_BYTES > from && index * SECTOR_BYTES < to);
  const whole = range.from === undefined && range.to === undefined;
  const sized = durable.size >= to && (!whole || durable.size === cache.size);
  if (dirty === undefined && sized) return undefined;
  const byte = dirty === undefined ? durable.size : Math.max(from, dirty * SECTOR_BYTES);
  return `byte ${byte} is not: sync the file after the write has completed`;
}

function whyNotBelow(disk: Disk, path: string): string | undefined {
  for (const name of disk.list(path)) {
    const child = path === '/' ? `/${name}` : `${path}/${name}`;
    const why = whyNotDurable(disk, child, {});
    if (why !== undefined) return why.includes(child) ? why : `${child}: ${why}`;
  }
  return undefined;
}

function unsafe(name: string): string {
  return `the name ${name} is not durable: sync its directory`;
}
