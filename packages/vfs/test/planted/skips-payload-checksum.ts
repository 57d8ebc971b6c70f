/** Planted bug: the header is checked, the text is believed. */
import { type Header, RecordDecoder } from './record-format.js';
import { RecordLog } from './record-log.js';

export class SkipsPayloadChecksum extends RecordLog {
  protected override decoder(bytes: Buffer, number: number): RecordDecoder {
    return new (class extends RecordDecoder {
      protected override payload(at: number, header: Header): Buffer | undefined {
        return this.copyOf(at, header);
      }
    })(bytes, number);
  }
}
