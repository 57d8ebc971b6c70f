/**
 * Planted bug: after a failed append the log goes on behind it, with the same sequence number. Where
 * the failed one landed all the same, two records have one number.
 */
import { RecordLog } from './record-log.js';

export class ReusesSequence extends RecordLog {
  protected override failed(_error: unknown, bytes: number): void {
    this.end += bytes;
  }
}
