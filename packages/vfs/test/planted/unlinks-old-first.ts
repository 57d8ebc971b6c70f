/** Planted bug: the old log is unlinked before the new one is durable. */
import { RecordLog } from './record-log.js';

export class UnlinksOldFirst extends RecordLog {
  override async rotate(): Promise<void> {
    await this.file.close();
    await this.vfs.unlink(this.currentPath);
    await this.makeNext();
  }
}
