import { COVERAGE_KINDS, Coverage, CRASH_COVERAGE, ext4Ordered, SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';
import { bytes, failing, machine } from './disk-fixture.js';

describe('coverage', () => {
  test('is counted for the machine and for everything it adds up to', () => {
    const total = new Coverage();
    for (const seed of [1, 2]) {
      const sim = new SimVfs({ seed, coverage: total });
      sim.faults.failAt({ op: 'mkdir', nth: 1, error: 'EIO' });
      expect(failing(() => sim.mkdirSync('/d'))).toBe('EIO');
      expect(sim.coverage.times('error:mkdir')).toBe(1);
    }
    expect([...total.counters]).toEqual([['error:mkdir', 2]]);
  });

  test('merges', () => {
    const [one, other] = [new Coverage(), new Coverage()];
    one.count('stall');
    other.count('stall', 2);
    other.count('no-space');
    expect(one.merge(other)).toBe(one);
    expect([...one.counters]).toEqual([
      ['stall', 3],
      ['no-space', 1],
    ]);
    expect(other.times('stall')).toBe(2);
  });

  test('that is not complete fails and names what never happened', () => {
    const coverage = new Coverage();
    coverage.count('short-read');
    coverage.assertComplete(['short-read']);
    expect(coverage.missing(['short-read', 'stall'])).toEqual(['stall']);
    expect(() => coverage.assertComplete(['stall', 'short-read', 'profile:posix-weak'])).toThrow(
      'expected each of 3 kinds to have happened, but these did not: stall, profile:posix-weak',
    );
  });

  test('has every kind once', () => {
    expect(new Set(COVERAGE_KINDS).size).toBe(COVERAGE_KINDS.length);
    expect(COVERAGE_KINDS).toContain('effect:rename');
    expect(COVERAGE_KINDS).toContain('damage:misdirected');
    expect(COVERAGE_KINDS).toContain('sync:late');
  });

  test('counts images, and profiles where something is at stake', () => {
    const { sim, file } = machine();
    sim.crashImage();
    expect(sim.coverage.times('crash:power')).toBe(1);
    expect(sim.coverage.times('profile:posix-weak')).toBe(0);
    file.writeAtSync(Buffer.alloc(2000, 'x'), 0);
    const at = sim.changeCount;
    file.writeAtSync(bytes('more'), 2000);
    const images = [
      ...sim.crashImages({ from: at, samples: 40 }),
      ...sim.crashImages({ from: at, profile: ext4Ordered }),
      ...sim.crashImages({ from: at, to: at, kind: 'kill' }),
    ];
    expect(images.length).toBeGreaterThan(10);
    const others = ['profile:none', 'profile:all'];
    sim.coverage.assertComplete(CRASH_COVERAGE.filter((kind) => !others.includes(kind)));
  });
});
