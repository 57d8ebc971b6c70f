/** In what the log returns and tells, `JSON.stringify` prints LSNs as decimal strings, uuids as text. */
import { SimVfs } from '@nendb/vfs/sim';
import { Wal, type WalEvent } from '@nendb/wal';
import { expect, test } from 'vitest';
import { append, DIR, Oracle, openSim } from './sim-log.js';

const printed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Every member named like an LSN, wherever it is. */
function lsns(value: unknown, found: unknown[] = []): unknown[] {
  if (typeof value !== 'object' || value === null) return found;
  for (const [name, member] of Object.entries(value)) {
    if (/^(lsn|from)$|Lsn$/.test(name)) found.push(member);
    lsns(member, found);
  }
  return found;
}

test('R2: every LSN is printed as a decimal string', async () => {
  const sim = new SimVfs();
  await sim.run(async () => {
    const oracle = new Oracle();
    const events: WalEvent[] = [];
    const { wal, recovery } = await openSim(sim, { onEvent: (event) => events.push(event) });
    for (let i = 0; i < 12; i++) await append(wal, oracle, 900);
    await wal.truncateBefore(5);
    const lease = wal.retain(9);
    const reader = wal.read({ from: 10 });
    const { value: entry } = await reader.next();
    await reader.return();
    const cut = await wal.truncateAfter(11);
    const results = {
      recovery,
      stats: wal.stats,
      health: wal.health,
      epochs: wal.epochs,
      lease,
      entry,
      cut,
      events,
    };
    for (const [what, result] of Object.entries(results)) {
      const all = lsns(printed(result));
      expect(all.length, what).toBeGreaterThan(0);
      for (const lsn of all) expect(lsn, what).toMatch(/^\d+$/);
    }
    expect(printed(wal.stats)).toMatchObject({ lastLsn: '11', syncedLsn: '11', appends: 12 });
    expect(printed(lease)).toEqual({ lsn: '9', lost: false });
    expect(printed(entry)).toMatchObject({ lsn: '10', position: { lsn: '10', epoch: 1 } });
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(['rotated', 'synced', 'truncated', 'cut']),
    );
    await wal.close();
    const offline = { verify: await Wal.verify(DIR, { vfs: sim }) };
    expect(lsns(printed(offline)).length).toBeGreaterThan(3);
    for (const lsn of lsns(printed(offline))) expect(lsn).toMatch(/^\d+$/);
    await sim.unlink(`${DIR}/HEAD`);
    const report = await Wal.salvage(DIR, { vfs: sim, quarantine: '/aside', dryRun: true });
    expect(printed(report)).toMatchObject({ kept: { to: '11' }, moved: expect.any(Array) });
  });
  sim.assertClean();
});

test('a result stays plain data: compared, spread and cloned without its printing', async () => {
  const sim = new SimVfs();
  await sim.run(async () => {
    const { wal, recovery } = await openSim(sim, { databaseUuid: new Uint8Array(16).fill(0xab) });
    expect(printed(recovery)).toMatchObject({
      databaseUuid: 'abababab-abab-abab-abab-abababababab',
      lastLsn: '0',
    });
    expect(structuredClone(wal.stats)).toEqual({ ...wal.stats });
    expect(Object.keys(wal.stats)).not.toContain('toJSON');
    await wal.close();
  });
  sim.assertClean();
});
