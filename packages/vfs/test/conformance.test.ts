import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeVfs, type Vfs } from '@nendb/vfs';
import { vfsConformance } from '@nendb/vfs/conformance';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, test } from 'vitest';

function onDisk(vfs: Vfs) {
  return () => {
    const dir = mkdtempSync(join(tmpdir(), 'nendb-vfs-'));
    return {
      vfs,
      dir,
      run: <T>(body: () => Promise<T>) => body(),
      dispose: async () => rmSync(dir, { recursive: true }),
    };
  };
}

describe('NodeVfs conforms', () => {
  vfsConformance({ test, makeVfs: onDisk(new NodeVfs()) });
});

describe('NodeVfs conforms where there is no flock program', () => {
  vfsConformance({ test, makeVfs: onDisk(new NodeVfs({ flockProgram: 'no-such-flock' })) });
});

describe.each(['random', 'fifo'] as const)('SimVfs conforms, %s order', (order) => {
  let seed = 0;
  vfsConformance({
    test,
    makeVfs: () => {
      const vfs = new SimVfs({ seed: ++seed, order });
      vfs.mkdirSync('/data/db');
      return { vfs, dir: '/data/db', run: (body) => vfs.run(body) };
    },
  });
});

describe('SimVfs conforms where every transfer is short', () => {
  let seed = 0;
  vfsConformance({
    test,
    makeVfs: () => {
      const vfs = new SimVfs({ seed: ++seed });
      vfs.faults.limitEachRead(7);
      vfs.faults.limitEachWrite(5);
      vfs.mkdirSync('/data/db');
      return { vfs, dir: '/data/db', run: (body) => vfs.run(body) };
    },
  });
});
