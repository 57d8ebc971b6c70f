/**
 * What every `Vfs` must do, as a suite that any implementation can run against itself:
 *
 *     vfsConformance({ test, makeVfs: () => ({ vfs: myVfs, dir: freshDirectory(), run: (body) => body() }) });
 *
 * It needs no test framework: `test` registers a case, `node:assert` judges it. Each case gets a
 * subject of its own.
 */
import { environmentCases } from './environment.js';
import { fileCases } from './files.js';
import { nameCases } from './names.js';
import type { ConformanceOptions } from './subject.js';

export type { ConformanceOptions, ConformanceSubject } from './subject.js';

/** Registers every case of the suite with `options.test`. */
export function vfsConformance({ test, makeVfs }: ConformanceOptions): void {
  for (const { name, body } of [...fileCases, ...nameCases, ...environmentCases]) {
    test(name, async () => {
      const subject = await makeVfs();
      try {
        await subject.run(() => body(subject));
      } finally {
        await subject.dispose?.();
      }
    });
  }
}
