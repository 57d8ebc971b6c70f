/**
 * Planted bug: after a restart the log goes on in the file that it found. Its tail may be in the cache
 * only, marked clean by a sync that failed before: no later sync will write it.
 */
import { RecordLog } from './record-log.js';

export class AppendsToUnsyncedTail extends RecordLog {
  protected override async adopt(): Promise<void> {
    if (this.number === 0) return this.makeNext();
    const file = await this.vfs.open(this.currentPath, 'write');
    this.use(file, this.number, this.encoded(this.number).length);
  }
}
