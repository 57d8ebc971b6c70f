/** A machine with one durable file, and short ways to look at it: for tests of faults and damage. */
import type { VfsFile } from '@nendb/vfs';
import { nothingUnsynced, SimVfs } from '@nendb/vfs/sim';

export const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A machine with a durable file `/a` that holds `content`. */
export function machine(content = 'old'): { sim: SimVfs; file: VfsFile } {
  const sim = new SimVfs();
  const file = sim.openSync('/a', 'create');
  file.writeAtSync(bytes(content), 0);
  file.syncSync();
  sim.syncDirSync('/');
  return { sim, file };
}

/** What programs read. */
export function cached(file: VfsFile): string {
  const target = Buffer.alloc(file.sizeSync());
  file.readAtSync(target, 0);
  return target.toString('latin1');
}

/** What a power cut now would leave for certain. */
export function durable(sim: SimVfs, path = '/a'): string | undefined {
  const found = sim.crashImage({ profile: nothingUnsynced }).files().get(path);
  return found === undefined ? undefined : Buffer.from(found).toString('latin1');
}

/** The code with which a call fails; `undefined` where it does not. */
export function failing(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}
