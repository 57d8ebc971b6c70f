/**
 * What every region must do, as a suite that any backend can run against itself:
 *
 *     regionConformance({ test, makeSubject: () => ({ make: async () => Region.on(myMedium(), {}) }) });
 *
 * It needs no test framework: `test` registers a case, `node:assert` judges it. Each case gets a
 * subject of its own.
 */
import { allocationCases } from './allocation.js';
import { lifeCases } from './life.js';
import type { ConformanceOptions } from './subject.js';
import { windowCases } from './windows.js';

export { CONFORMANCE_BYTES, type ConformanceOptions, type ConformanceSubject } from './subject.js';

/** Registers every case of the suite with `options.test`. */
export function regionConformance({ test, makeSubject }: ConformanceOptions): void {
  for (const { name, body } of [...windowCases, ...allocationCases, ...lifeCases]) {
    test(name, async () => {
      const subject = await makeSubject();
      const run = subject.run ?? ((work: () => Promise<void>) => work());
      try {
        await run(async () => {
          const region = await subject.make();
          try {
            await body(region, subject);
          } finally {
            await region.close();
          }
        });
      } finally {
        await subject.dispose?.();
      }
    });
  }
}
