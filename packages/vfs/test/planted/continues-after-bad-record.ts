/** Planted bug: the log ends at the first bad record, whatever follows it. */
import { RecordDecoder } from './record-format.js';
import { RecordLog } from './record-log.js';

export class ContinuesAfterBadRecord extends RecordLog {
  protected override decoder(bytes: Buffer, number: number): RecordDecoder {
    return new (class extends RecordDecoder {
      protected override vouchedFor(): boolean {
        return false;
      }
    })(bytes, number);
  }
}
