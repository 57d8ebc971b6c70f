/**
 * A database with a mapped region on the real machine, and what a kill -9 at this moment would leave of
 * both: stores to a mapped file are in the page cache at once, so that copies of the files are it.
 */
import { accessSync, constants, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../../src/engine.js';
import type { EngineOptions } from '../../src/types.js';

const MiB = 1024 * 1024;

/** Memory that is a file system, where the machine has it. */
const memory = ['/dev/shm', tmpdir()].find((path) => {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
});

export class MappedDatabase {
  readonly #root = mkdtempSync(join(memory ?? tmpdir(), 'nendb-mapped-'));
  #copies = 0;

  constructor(
    readonly dir = join(this.#root, 'db'),
    readonly region = join(this.#root, 'region'),
  ) {}

  open(options: Partial<EngineOptions> = {}): Promise<Engine> {
    return Engine.open({
      dir: this.dir,
      pmemPath: this.region,
      regionBytes: 8 * MiB,
      sync: 'os',
      segmentBytesMax: 64 * 1024,
      preallocate: false,
      activeExpiry: false,
      ...options,
    });
  }

  /** What a kill leaves: `log` and `region` say whether it is of now, or of another database. */
  killed(log: MappedDatabase = this, region: MappedDatabase = this): MappedDatabase {
    const root = join(this.#root, `copy-${++this.#copies}`);
    const copy = new MappedDatabase(join(root, 'db'), join(root, 'region'));
    cpSync(log.dir, copy.dir, { recursive: true });
    cpSync(region.region, copy.region);
    return copy;
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

export function put(engine: Engine, key: string, value: string, database = 0): void {
  const tx = engine.begin();
  const [k, v] = [Buffer.from(key), Buffer.from(value)];
  tx.putString(database, k, 0, k.length, v, 0, v.length, 0);
  engine.commit();
}
