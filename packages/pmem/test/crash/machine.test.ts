/** The simulated machine itself: which images a moment can leave, and which it cannot. */
import { SimPmem } from '@nendb/pmem/sim';
import { describe, expect, test } from 'vitest';

const BYTES = 8192;
const AT = 4096;

/** Every content of the words at `offsets` that a crash right now may leave. */
function contents(sim: SimPmem, offsets: readonly number[]): string[] {
  const found = new Set<string>();
  for (const { bytes } of sim.crashPoint().images()) {
    const words = new Int32Array(bytes.buffer);
    found.add(offsets.map((offset) => words[offset / 4]).join());
  }
  return [...found].sort();
}

function machine() {
  const sim = new SimPmem({ bytesMax: BYTES });
  return { sim, window: sim.windows[0] };
}

describe('a power loss', () => {
  test('keeps a prefix of the stores to one line', () => {
    const { sim, window } = machine();
    for (const value of [1, 2]) {
      window.store32(AT / 4, value);
      window.store32(AT / 4 + 1, value);
    }
    expect(contents(sim, [AT, AT + 4])).toEqual(['0,0', '1,0', '1,1', '2,1', '2,2']);
  });

  test('keeps lines independently of each other, flushed or not', () => {
    const { sim, window } = machine();
    window.store32(AT / 4, 1);
    window.store32(AT / 4 + 16, 1);
    sim.flush(AT + 64, 4);
    expect(contents(sim, [AT, AT + 64])).toEqual(['0,0', '0,1', '1,0', '1,1']);
  });

  test('keeps what was drained, and of that line what came later maybe', () => {
    const { sim, window } = machine();
    window.store32(AT / 4, 1);
    sim.flush(AT, 4);
    window.store32(AT / 4, 2);
    expect(contents(sim, [AT])).toEqual(['0', '1', '2']);
    sim.drain();
    expect(contents(sim, [AT])).toEqual(['1', '2']);
    sim.flush(AT, 4);
    sim.drain();
    expect(contents(sim, [AT])).toEqual(['2']);
  });

  test('never tears 8 aligned bytes, and may tear anything longer', () => {
    const { sim, window } = machine();
    window.storeF64(AT / 8, 2 ** 53 - 1);
    expect(contents(sim, [AT, AT + 4])).toEqual(['-1,1128267775', '0,0']);
    window.copyIn(AT + 64, new Uint8Array(24).fill(1), 0, 24);
    const one = 0x0101_0101;
    const orders = contents(sim, [AT + 64, AT + 72, AT + 80]);
    expect(orders).toContain('0,0,0');
    expect(orders).toContain(`${one},${one},${one}`);
    expect(orders).toHaveLength(4);
  });

  test('keeps copies of odd lengths and places byte for byte', () => {
    const { sim, window } = machine();
    const source = Uint8Array.from({ length: 100 }, (_, i) => i + 1);
    for (let bytes = 1; bytes < 40; bytes++) {
      for (const shift of [0, 1, 3, 7, 60]) {
        window.zero(AT, AT + 128);
        window.copyIn(AT + shift, source, 0, bytes);
        const image = sim.crashPoint().image('all').bytes;
        expect(image).toEqual(window.u8);
        sim.writeThrough(AT, 128);
        expect(sim.crashPoint().image('none').bytes).toEqual(window.u8);
      }
    }
    sim.checkStores();
  });

  test('repeats: the same choice gives the same image', () => {
    const { sim, window } = machine();
    for (let i = 0; i < 200; i++) window.store32(AT / 4 + ((i * 7) % 1000), i);
    const point = sim.crashPoint();
    expect(point.combinations).toBeGreaterThan(256);
    expect(point.choices({ samples: 3 })).toEqual([
      'none',
      'all',
      { seed: 1 },
      { seed: 2 },
      { seed: 3 },
    ]);
    expect(point.image({ seed: 2 })).toEqual(point.image({ seed: 2 }));
    expect(point.image({ seed: 2 }).hash).not.toBe(point.image({ seed: 3 }).hash);
    const seen = new Set<string>();
    expect([...point.images({ seen })].length).toBe(18);
    expect([...point.images({ seen })]).toEqual([]);
  });

  test('is offered before every drain and at every ack, with what was promised', () => {
    const moments: string[] = [];
    const { sim, window } = machine();
    sim.onCrashPoint = ({ moment, acks, lines }) =>
      moments.push(`${moment} ${acks.join()} ${lines}`);
    window.store32(AT / 4, 1);
    sim.flush(AT, 4);
    sim.drain();
    sim.ack('one');
    window.store32(AT / 4, 2);
    sim.flush(AT, 4);
    sim.drain();
    expect(moments).toEqual(['drain  1', 'ack one 0', 'drain one 1']);
  });
});
