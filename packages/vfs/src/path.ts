/** POSIX paths, as every `Vfs` takes them; pure text, nothing is looked up. */
import { posix } from 'node:path';

/** `a/b` from `a` and `b`; `.` and `..` are resolved. */
export function joinPath(...parts: readonly string[]): string {
  return posix.join(...parts);
}

/** The directory that holds `path`: `a` for `a/b`, `.` for `b`. */
export function dirname(path: string): string {
  return posix.dirname(path);
}

/** The last name in `path`. */
export function basename(path: string): string {
  return posix.basename(path);
}
