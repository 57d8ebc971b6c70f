/** Planted bug: memory for a record is taken from a length that no checksum has vouched for. */
import { type Header, RecordDecoder } from './record-format.js';
import { RecordLog } from './record-log.js';

/** The memory of the machine, so to speak, in bytes. */
const MEMORY_BYTES = 64 * 1024 * 1024;

export class AllocatesBeforeChecking extends RecordLog {
  protected override decoder(bytes: Buffer, number: number): RecordDecoder {
    return new (class extends RecordDecoder {
      protected override header(at: number): Header | undefined {
        const { length } = this.rawHeader(at) ?? { length: 0 };
        if (length > MEMORY_BYTES) throw new RangeError(`out of memory: ${length} bytes`);
        return super.header(at);
      }
    })(bytes, number);
  }
}
