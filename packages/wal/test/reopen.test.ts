/** What was appended is there after close and reopen, on the real file system. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Wal } from '@nendb/wal';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'nendb-wal-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function readAll(wal: Wal): Promise<string[]> {
  const found: string[] = [];
  for await (const { lsn, payload } of wal.read()) {
    found.push(`${lsn}:${Buffer.from(payload).toString()}`);
  }
  return found;
}

describe.each(['always', { windowMs: 5 }, { every: 3 }, 'os'] as const)('under %j', (sync) => {
  test('records, batches and fragments come back in order, with rotation in between', async () => {
    const expected: string[] = [];
    for (let round = 0; round < 4; round++) {
      const { wal, recovery } = await Wal.open({
        dir,
        sync,
        segmentBytesMax: 8192,
        preallocateBytes: 4096,
      });
      expect(recovery.verdict).toBe('clean');
      expect(recovery.epoch).toBe(round + 1);
      expect(recovery.lastLsn).toBe(expected.length);
      expect(await readAll(wal)).toEqual(expected);
      const put = (text: string) => expected.push(`${expected.length + 1}:${text}`);
      for (let i = 0; i < 20; i++) {
        const text = `${round}-${i}-${'x'.repeat(i * 37)}`;
        put(text);
        const position = await wal.append(Buffer.from(text));
        expect(position.lsn).toBe(expected.length);
      }
      const many = Array.from({ length: 50 }, (_, i) => `many-${round}-${i}-${'y'.repeat(100)}`);
      for (const text of many) put(text);
      await Promise.all(many.map((text) => wal.append(Buffer.from(text))));
      put('b1');
      put('b2');
      await wal.appendBatch([Buffer.from('b1'), Buffer.from('b2')]);
      const large = 'z'.repeat(2_500_000);
      put(large);
      await wal.append(Buffer.from(large));
      put('sync');
      wal.appendSync(Buffer.from('sync'));
      expect(await readAll(wal)).toEqual(expected);
      await wal.sync();
      expect(wal.syncedLsn).toBe(expected.length);
      await wal.close();
    }
    expect(
      readdirSync(dir)
        .filter((name) => !name.endsWith('.wal'))
        .sort(),
    ).toEqual(['HEAD', 'LOCK', 'RESERVE']);
  });
});

test('a second opener in the same process is refused, and the log goes on', async () => {
  const { wal } = await Wal.open({ dir });
  await expect(Wal.open({ dir })).rejects.toMatchObject({ code: 'WAL_LOCKED' });
  await wal.append(Buffer.from('still'));
  await wal.close();
  const { wal: next } = await Wal.open({ dir });
  expect(await readAll(next)).toEqual(['1:still']);
  await next.close();
});
