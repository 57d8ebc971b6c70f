/** R6: a tree that version 1 wrote, encrypted and compressed, with all kinds of entries, is read forever. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatUuid } from '@nendb/codec';
import { Lsm } from '@nendb/lsm';
import { expect, test } from 'vitest';
import { bytes, contents, text } from './sim-tree.js';

const FIXTURE = fileURLToPath(new URL('../fixtures/tree-v1', import.meta.url));
const WRITTEN_MS = 1_700_000_000_000;

test('R6: the fixture of version 1 is opened and read', async () => {
  const dir = join(mkdtempSync(join(tmpdir(), 'nendb-lsm-fixture-')), 'tree');
  cpSync(FIXTURE, dir, { recursive: true });
  const options = {
    dir,
    mustExist: true,
    encryption: { key: new Uint8Array(32).fill(1) },
    logPreallocateBytes: 0,
  };
  try {
    let nowMs = WRITTEN_MS;
    const db = await Lsm.open({ ...options, clockMs: () => nowMs });
    expect(formatUuid(db.databaseUuid)).toBe('00112233-4455-6677-8899-aabbccddeeff');
    expect(text(db.get(bytes('alpha')))).toBe('version two');
    expect(text(db.get(bytes('long')))).toBe('0123456789'.repeat(50));
    expect(text(db.get(bytes('lease')))).toBe('short-lived');
    expect(db.expiryOf(bytes('lease'))).toBe(WRITTEN_MS + 1000);
    expect(db.get(bytes('gone'))).toBeUndefined();
    expect(text(db.get(bytes('in the log')))).toBe('not in a table');
    const many = contents(db).filter(([key]) => key.startsWith('many/'));
    expect(many).toHaveLength(19);
    expect(many[0]).toEqual(['many/01', 'value 1']);
    nowMs += 1000;
    expect(db.get(bytes('lease'))).toBeUndefined();
    expect(db.flushedSequence).toBe(37);
    expect(db.sequence).toBe(38);
    await db.close();
  } finally {
    rmSync(dir, { recursive: true });
  }
});
