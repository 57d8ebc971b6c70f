/** Planted bug: the old log is synced once more when it is closed already. */
import { errorCode } from '@nendb/vfs';
import { RecordLog } from './record-log.js';

export class SyncsAfterClose extends RecordLog {
  override async rotate(): Promise<void> {
    const old = this.file;
    await super.rotate();
    await old.sync().catch((error: unknown) => {
      if (errorCode(error) !== 'EBADF') throw error;
    });
  }
}
