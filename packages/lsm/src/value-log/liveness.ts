/**
 * How much of each value file is still referred to: what decides which file garbage collection rewrites.
 *
 * Nothing is written down: the live bytes of a file are the sum of what the tables of a version refer to,
 * so a crash cannot make the account drift from the truth.
 *
 * Invariant: `live + garbage` of a file is its record bytes.
 */

/** What a table says of the value files that it refers to. */
export interface Referrer {
  readonly valueRefs: readonly { file: number; bytes: number }[];
}

/** A value file, as a manifest lists it. */
export interface ValueFileSize {
  readonly number: number;
  /** Bytes of its records, whole. */
  readonly recordBytes: number;
}

export interface FileLiveness {
  number: number;
  recordBytes: number;
  liveBytes: number;
  garbageBytes: number;
}

/** The account of each file, the one with the largest share of garbage first. */
export function livenessOf(
  files: Iterable<ValueFileSize>,
  referrers: Iterable<Referrer>,
): FileLiveness[] {
  const live = new Map<number, number>();
  for (const { valueRefs } of referrers) {
    for (const { file, bytes } of valueRefs) live.set(file, (live.get(file) ?? 0) + bytes);
  }
  const accounts: FileLiveness[] = [];
  for (const { number, recordBytes } of files) {
    // A job may count a record for a moment in two tables; it is never more than all of them.
    const liveBytes = Math.min(live.get(number) ?? 0, recordBytes);
    accounts.push({ number, recordBytes, liveBytes, garbageBytes: recordBytes - liveBytes });
  }
  return accounts.sort((a, b) => shareOf(b) - shareOf(a) || a.number - b.number);
}

function shareOf({ garbageBytes, recordBytes }: FileLiveness): number {
  return recordBytes === 0 ? 1 : garbageBytes / recordBytes;
}
