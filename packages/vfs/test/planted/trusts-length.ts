/**
 * Planted bug: no checksum over the length. A flipped one points behind the records that would have
 * vouched for the damaged one, and the log ends there in silence.
 */
import { HEADER_BYTES, type Header, RecordDecoder } from './record-format.js';
import { RecordLog } from './record-log.js';

export class TrustsLength extends RecordLog {
  protected override decoder(bytes: Buffer, number: number): RecordDecoder {
    return new (class extends RecordDecoder {
      protected override header(at: number): Header | undefined {
        return this.rawHeader(at);
      }

      protected override vouchedFor(bad: number, sequence: number): boolean {
        const header = this.header(bad);
        if (header === undefined) return false;
        const next = bad + HEADER_BYTES + header.length;
        const later = this.header(next);
        if (later === undefined || later.sequence <= sequence) return false;
        return this.payload(next, later) !== undefined;
      }
    })(bytes, number);
  }
}
