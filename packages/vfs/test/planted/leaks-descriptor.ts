/** Planted bug: the old log is never closed. */
import { RecordLog } from './record-log.js';

export class LeaksDescriptor extends RecordLog {
  override async rotate(): Promise<void> {
    const path = this.currentPath;
    await this.makeNext();
    await this.vfs.unlink(path);
  }
}
