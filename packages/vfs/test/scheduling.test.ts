import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { SimDeadlockError, SimVfs } from '@nendb/vfs/sim';
import { describe, expect, test } from 'vitest';

describe('virtual time', () => {
  test('an hour passes at once; timers run in order and cancelled ones do not', async () => {
    const sim = new SimVfs();
    const ran: string[] = [];
    const startMs = sim.clock.wallMs();
    await sim.run(async () => {
      sim.timers.after(3_600_000, () => ran.push('hour'));
      sim.timers.after(1000, () => ran.push('second'), { background: true });
      sim.timers.after(2000, () => ran.push('cancelled')).cancel();
      await new Promise<void>((resolve) => {
        sim.timers.after(3_600_001, resolve);
      });
    });
    expect(ran).toEqual(['second', 'hour']);
    expect(sim.clock.wallMs() - startMs).toBe(3_600_001);
  });

  test('a timer that is due and an operation in flight meet in either order', async () => {
    const orders = new Set<string>();
    for (let seed = 1; seed <= 40; seed++) {
      const sim = new SimVfs({ seed });
      const ran: string[] = [];
      await sim.run(async () => {
        const timer = new Promise<void>((resolve) => {
          sim.timers.after(0, () => {
            ran.push('timer');
            resolve();
          });
        });
        await Promise.all([timer, sim.mkdir('/a').then(() => ran.push('mkdir'))]);
      });
      orders.add(ran.join());
    }
    expect([...orders].sort()).toEqual(['mkdir,timer', 'timer,mkdir']);
  });

  test('writes in flight complete in any order; a sync covers those that completed before it', async () => {
    const survivors = new Set<number>();
    for (let seed = 1; seed <= 60; seed++) {
      const sim = new SimVfs({ seed });
      const file = sim.openSync('/a', 'create');
      sim.syncDirSync('/');
      const early = file.writeAt(Buffer.alloc(512, 'e'), 0);
      await sim.run(early);
      const late = file.writeAt(Buffer.alloc(512, 'l'), 512);
      await sim.run(file.sync());
      const found = sim.crashImage({ choice: 'none' }).files().get('/a');
      expect(found?.[0]).toBe('e'.charCodeAt(0));
      survivors.add(found?.length ?? 0);
      await sim.run(late);
    }
    expect([...survivors]).toEqual([512]);
  });

  test('in order mode operations complete first come, first served', async () => {
    const sim = new SimVfs({ order: 'fifo' });
    const done: number[] = [];
    await sim.run(
      Promise.all(
        Array.from({ length: 10 }, (_, i) => sim.mkdir(`/d${i}`).then(() => done.push(i))),
      ),
    );
    expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('settle finishes what is in flight, then lets time pass', async () => {
    const sim = new SimVfs();
    const ran: string[] = [];
    void sim.mkdir('/d').then(() => ran.push('mkdir'));
    sim.timers.after(10, () => ran.push('soon'));
    sim.timers.after(5000, () => ran.push('later'));
    sim.timers.turnEnd(() => ran.push('end'));
    await sim.settle();
    expect(ran.sort()).toEqual(['end', 'mkdir']);
    const startMs = sim.clock.monotonicMs();
    await sim.settle(100);
    expect(ran).toContain('soon');
    expect(ran).not.toContain('later');
    expect(sim.clock.monotonicMs()).toBe(startMs + 100);
  });
});

describe('work outside the machine', () => {
  test('on the real thread pool is waited for', async () => {
    const sim = new SimVfs();
    const packed = await sim.run(promisify(deflate)(Buffer.alloc(1_000_000, 'x')));
    expect(packed.length).toBeLessThan(10_000);
  });

  test('that loads a task takes no virtual time', async () => {
    const sim = new SimVfs();
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      sim.timers.after(1, tick);
    };
    tick();
    const task = new URL('../src/conformance/task.js', import.meta.url);
    await sim.run(sim.executor.start(task, { start: 0 }));
    expect(ticks).toBeLessThan(5);
  });
});

describe('a program that waits for nothing', () => {
  test('is stuck, and the error says what there is', async () => {
    const sim = new SimVfs();
    const stuck = sim.run(new Promise(() => undefined));
    await expect(stuck).rejects.toThrow(SimDeadlockError);
    await expect(stuck).rejects.toThrow('operations waiting: none; timers: 0');
  });

  test('is stuck too where a timer only sets itself again', async () => {
    const sim = new SimVfs();
    const again = (): void => void sim.timers.after(1000, again, { background: true });
    again();
    await expect(sim.run(new Promise(() => undefined))).rejects.toMatchObject({
      code: 'SIM_DEADLOCK',
    });
  });

  test('rejects as it rejects', async () => {
    const sim = new SimVfs();
    const failing = sim.run(async () => {
      await sim.mkdir('/d');
      throw new TypeError('mine');
    });
    await expect(failing).rejects.toThrow(new TypeError('mine'));
  });
});
