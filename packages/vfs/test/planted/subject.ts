/** What is put to the test: the sound log, one with a planted bug, or the sound one on a bad `Vfs`. */
import type { Vfs } from '@nendb/vfs';
import { RecordLog } from './record-log.js';

export interface Subject {
  /** Opens the log that lives before the crash. */
  write(vfs: Vfs): Promise<RecordLog>;
  /** Opens it after the crash. */
  recover(vfs: Vfs): Promise<RecordLog>;
}

export const DIR = '/db';

const openSound = (vfs: Vfs): Promise<RecordLog> => RecordLog.open(vfs, DIR);

export const sound: Subject = { write: openSound, recover: openSound };

/** The sound log on a `Vfs` that does not do what it is asked to. */
export function wrapped(wrap: (vfs: Vfs) => Vfs): Subject {
  return { write: (vfs) => openSound(wrap(vfs)), recover: openSound };
}

/** A log that does a step wrong, before and after the crash. */
export function variant(log: typeof RecordLog): Subject {
  const open = (vfs: Vfs): Promise<RecordLog> => log.open(vfs, DIR);
  return { write: open, recover: open };
}
