/**
 * Errors of writing back that nobody asked for at the time, and who has been told: Linux's errseq
 * (`lib/errseq.c`).
 *
 * Invariants
 *  1. A descriptor learns of an error at its next sync, once; its later syncs succeed although the
 *     pages are lost.
 *  2. A descriptor opened after somebody was told is never told; one opened before is, also when
 *     another descriptor was told first.
 */
interface Recorded {
  readonly error: string;
  /** From 1, growing. */
  readonly sequence: number;
  told: boolean;
}

export class WritebackErrors {
  readonly #latest = new Map<number, Recorded>();
  #count = 0;

  /** Notes that pages of `inode` were lost; `told` where the caller's own sync reports it. */
  record(inode: number, error: string, told: boolean): number {
    this.#latest.set(inode, { error, sequence: ++this.#count, told });
    return this.#count;
  }

  /** What a descriptor that is being opened has seen: an error that nobody was told of is not. */
  sample(inode: number): number {
    const latest = this.#latest.get(inode);
    return latest?.told === true ? latest.sequence : 0;
  }

  /** The errno name that a descriptor which has `seen` so much must be told now, with its sequence. */
  tell(inode: number, seen: number): { error: string; sequence: number } | undefined {
    const latest = this.#latest.get(inode);
    if (latest === undefined || latest.sequence <= seen) return undefined;
    latest.told = true;
    return latest;
  }
}
