/** Planted bug: the log that is listed last is taken for the newest. */
import { RecordLog } from './record-log.js';

export class TrustsDirectoryOrder extends RecordLog {
  protected override async current(): Promise<number | undefined> {
    const names = await this.vfs.readdir(this.dir);
    const last = names.filter((name) => name.startsWith('log-')).at(-1);
    return last === undefined ? undefined : Number(last.slice('log-'.length));
  }
}
