/** A tree under somebody else's log: what is flushed when, and what comes back. */
import { Batch, type ExternalLog, type Lsm, LsmError, type LsmOptions } from '@nendb/lsm';
import { SimVfs } from '@nendb/vfs/sim';
import { describe, expect, it } from 'vitest';
import { bytes, contents, openSim, text } from './sim-tree.js';

/** A log that remembers what it was asked. */
class TestLog implements ExternalLog {
  syncedTo = 0;
  asked: number[] = [];
  flushed: number[] = [];
  /** What the owner counts: how many commits. */
  commits = 0;
  broken = false;

  async synced(lsn: number): Promise<void> {
    this.asked.push(lsn);
    if (this.broken) throw new LsmError('LSM_POISONED', 'the log has failed');
    this.syncedTo = Math.max(this.syncedTo, lsn);
  }

  onFlushed(lsn: number): void {
    this.flushed.push(lsn);
  }

  metadata(): Uint8Array {
    return bytes(`commits ${this.commits}`);
  }
}

function commit(db: Lsm, log: TestLog, lsn: number, key: string, value: string): void {
  log.commits++;
  db.apply(lsn, new Batch().put(bytes(key), bytes(value)));
}

async function onSim(
  body: (open: (log: ExternalLog, more?: Partial<LsmOptions>) => Promise<Lsm>) => Promise<void>,
) {
  const sim = new SimVfs({ record: false });
  await sim.run(() => body((log, more) => openSim(sim, { memtableBytes: 1 << 16, ...more, log })));
  sim.assertClean();
}

describe('an external log', () => {
  it('R3: is asked to sync before what was applied gets its name, and told when it has it', async () => {
    await onSim(async (open) => {
      const log = new TestLog();
      const db = await open(log);
      commit(db, log, 3, 'a', '1');
      commit(db, log, 7, 'b', '2');
      expect([db.sequence, db.flushedSequence]).toEqual([7, 0]);
      await db.flush();
      expect(log).toMatchObject({ asked: [7], flushed: [7] });
      expect(db.flushedSequence).toBe(7);
      commit(db, log, 8, 'a', '3');
      await db.close();
      // What was not flushed is the log's to bring back.
      const again = await open(log);
      expect(again.flushedSequence).toBe(7);
      expect(text(again.flushedMetadata)).toBe('commits 2');
      expect(contents(again)).toEqual([
        ['a', '1'],
        ['b', '2'],
      ]);
      commit(again, log, 8, 'a', '3');
      expect(contents(again)).toEqual([
        ['a', '3'],
        ['b', '2'],
      ]);
      await again.close();
    });
  });

  it('metadata is that of the flushed sequence number, also where a memtable fills up', async () => {
    await onSim(async (open) => {
      const log = new TestLog();
      const db = await open(log, { memtableBytes: 4096 });
      for (let lsn = 1; lsn <= 200; lsn++) commit(db, log, lsn, `k${lsn}`, 'x'.repeat(50));
      await db.settle();
      await db.close();
      const again = await open(log);
      expect(again.flushedSequence).toBeGreaterThan(50);
      // The owner counts a commit before it applies it: the memtable was frozen in the apply of the next.
      expect(text(again.flushedMetadata)).toBe(`commits ${again.flushedSequence + 1}`);
      expect(contents(again)).toHaveLength(again.flushedSequence);
      await again.close();
    });
  });

  it('that fails stops the flushes, and says so', async () => {
    await onSim(async (open) => {
      const log = new TestLog();
      const db = await open(log);
      commit(db, log, 1, 'a', '1');
      log.broken = true;
      await expect(db.flush()).rejects.toMatchObject({ code: 'LSM_POISONED' });
      expect(db.health).toMatchObject({ healthy: false, backgroundErrors: 1 });
      expect(text(db.get(bytes('a')))).toBe('1');
      expect(log.flushed).toEqual([]);
      await db.close();
    });
  });

  it('and the own log cannot be mixed up', async () => {
    await onSim(async (open) => {
      const log = new TestLog();
      const db = await open(log);
      await expect(db.put(bytes('a'), bytes('1'))).rejects.toMatchObject({ code: 'LSM_WRONG_LOG' });
      commit(db, log, 5, 'a', '1');
      expect(() => commit(db, log, 5, 'b', '1')).toThrow(LsmError);
      await db.close();
      await expect(open('own' as unknown as ExternalLog)).rejects.toMatchObject({
        code: 'LSM_WRONG_LOG',
      });
    });
  });

  it('replays a batch over itself to the same state', async () => {
    await onSim(async (open) => {
      const log = new TestLog();
      const batch = new Batch();
      batch.put(bytes('a'), bytes('1')).put(bytes('a'), bytes('2')).delete(bytes('b'));
      batch.deleteRange(bytes('c'), bytes('d')).put(bytes('cc'), bytes('3'));
      const db = await open(log);
      db.apply(1, batch);
      expect(contents(db)).toEqual([
        ['a', '2'],
        ['cc', '3'],
      ]);
      db.apply(2, batch.clear().delete(bytes('a')));
      await db.flush();
      expect(contents(db)).toEqual([['cc', '3']]);
      await db.close();
    });
  });
});
