/** Lets go of everything that an open tree holds, whatever of it fails. */
import { ioError } from '../io-error.js';
import type { Core } from './core.js';

/** The log first: it is synced by that. Rejects with the first failure, when all is released. */
export async function closeFiles(core: Core): Promise<void> {
  await core.versions.pins.settled();
  let failure: unknown;
  const steps = [
    () => core.log?.close(),
    () => core.versions.close(),
    () => core.tables.close(),
    () => core.values.close(),
    () => core.releaseLock(),
  ];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure === undefined) return;
  const what = 'closing the tree';
  throw ioError(failure, what, 'what is committed and synced is there, open it again');
}
