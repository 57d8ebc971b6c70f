/** Who sees to it that the log does not grow for ever: by images of the store, or by flushes of one that keeps itself. */
import type { SnapshotInfo } from '@nendb/snapshot';
import type { EngineRecovery, SnapshotStatus } from './types.js';

export interface ImageKeeper {
  readonly status: SnapshotStatus;
  /** Takes over what recovery has found; `replayedBytes` of records were replayed. */
  load(recovery: EngineRecovery, replayedBytes: number): Promise<void>;
  /** Makes everything that is committed by now durable without the log, or joins who does. */
  take(): Promise<SnapshotInfo>;
  /** Counts a commit of so many bytes. */
  onCommit(bytes: number): void;
  close(): Promise<void>;
}
