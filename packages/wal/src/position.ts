/** Positions: where a record is, for people and for tokens that leave the process. */
import type { Lsn } from '@nendb/codec';
import { segmentName } from './format.js';
import type { Position } from './types.js';

export class WalPosition implements Position {
  readonly #sequence: number;

  constructor(
    readonly epoch: number,
    readonly lsn: Lsn,
    sequence: number,
    readonly offset: number,
  ) {
    this.#sequence = sequence;
  }

  /** Made when asked for: most positions are only waited for. */
  get segment(): string {
    return segmentName(this.#sequence);
  }

  /** The LSN is a decimal string: JSON readers elsewhere have 53 bits, or fewer. */
  toJSON(): { epoch: number; lsn: string; segment: string; offset: number } {
    return {
      epoch: this.epoch,
      lsn: String(this.lsn),
      segment: this.segment,
      offset: this.offset,
    };
  }
}
