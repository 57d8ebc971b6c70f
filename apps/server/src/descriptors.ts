/**
 * How many clients the process can have: each takes a file descriptor, and so does each file of the
 * log. Clients that took them all would make the next segment fail, and with it every write.
 *
 * Redis lowers `maxclients` at its start for the same reason (`adjustOpenFilesLimit`). Node itself
 * has raised the soft limit to the hard one by then.
 */
import { readFileSync } from 'node:fs';
import { DESCRIPTORS_RESERVED } from './limits.js';

/** The soft limit of open files of this process; `undefined` where it is not told, or none. */
export function descriptorsMax(): number | undefined {
  try {
    return parseLimits(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // Not Linux, or /proc is not mounted.
    return undefined;
  }
}

/** Reads `Max open files  1024  4096  files`. */
export function parseLimits(text: string): number | undefined {
  const [, soft] = /^Max open files\s+(\d+)\s/m.exec(text) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

/** `wanted` clients, or as many as `descriptors` leave room for; one at least. */
export function clientsWithin(wanted: number, descriptors: number | undefined): number {
  if (descriptors === undefined) return wanted;
  return Math.max(1, Math.min(wanted, descriptors - DESCRIPTORS_RESERVED));
}
