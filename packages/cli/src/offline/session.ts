/**
 * Work on a stopped directory: the engine is opened as the server would open it, with the lock, used
 * by one client, and closed. A second `nen` or a server that comes meanwhile is refused.
 *
 * A directory that holds no database is never made into one.
 */
import { LocalClient } from '@nendb/commands';
import { Engine } from '@nendb/engine';
import { nodeVfs } from '@nendb/vfs';
import { readDirectoryIdentity } from './identity.js';

export interface DirectorySession {
  readonly engine: Engine;
  /** Its replies have passed the engine's barrier: what they report is on disk. */
  readonly client: LocalClient;
}

/**
 * Opens the database in `dir`, runs `work`, closes it; replies are those of RESP `protocol`. Throws `CliError` `NOT_FOUND` where `dir` holds
 * none, `EngineError` (`ENGINE_LOCKED`, `ENGINE_CORRUPT`, …) where it cannot be opened.
 */
export async function withDirectory<T>(
  dir: string,
  protocol: 2 | 3,
  work: (session: DirectorySession) => Promise<T>,
): Promise<T> {
  const { storeKind } = await readDirectoryIdentity(dir, nodeVfs);
  const engine = await Engine.open({
    dir,
    store: storeKind,
    vfs: nodeVfs,
    sync: 'always',
    activeExpiry: false,
  });
  try {
    const result = await work({ engine, client: new LocalClient({ engine, protocol }) });
    // What BGSAVE has begun is finished: closing would abandon it.
    if (engine.health().snapshot.inProgress) await engine.snapshot();
    return result;
  } finally {
    await engine.close();
  }
}
