import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nodeVfs } from '@nendb/vfs';
import { SimVfs } from '@nendb/vfs/sim';
import { afterAll, describe, expect, test } from 'vitest';
import { builtModule, sourceModule } from '../src/node/built-module.js';

const dir = mkdtempSync(join(tmpdir(), 'nendb-task-'));
afterAll(() => rmSync(dir, { recursive: true }));

function moduleOf(name: string, source: string): URL {
  const path = join(dir, name);
  writeFileSync(path, source);
  return pathToFileURL(path);
}

describe('a task on a worker thread', () => {
  test('that dies rejects the calls it had not answered, and later ones', async () => {
    const module = moduleOf(
      'dies.mjs',
      'export default () => ({ die: () => process.exit(7), wait: () => new Promise(() => {}) });',
    );
    const task = await nodeVfs.executor.start(module, undefined);
    const [died, behind] = [task.call('die', 0), task.call('wait', 0)];
    await expect(died).rejects.toThrow('its thread ended (7)');
    await expect(behind).rejects.toThrow('its thread ended (7)');
    await expect(task.call('wait', 0)).rejects.toThrow('its thread ended (7)');
    await task.close();
  });

  test('that cannot be made rejects the start', async () => {
    const module = moduleOf('throws.mjs', 'export default () => { throw new RangeError("no"); };');
    await expect(nodeVfs.executor.start(module, undefined)).rejects.toMatchObject({
      name: 'RangeError',
      message: 'no',
    });
  });

  test('whose result cannot be cloned rejects that call only', async () => {
    const module = moduleOf(
      'odd.mjs',
      'export default () => ({ odd: () => () => 1, ok: () => 2 });',
    );
    const task = await nodeVfs.executor.start(module, undefined);
    await expect(task.call('odd', 0)).rejects.toThrow('could not be cloned');
    expect(await task.call('ok', 0)).toBe(2);
    await task.close();
  });

  test('that throws no Error rejects with one', async () => {
    const module = moduleOf(
      'text.mjs',
      'export default () => ({ text: () => { throw "text"; } });',
    );
    const task = await nodeVfs.executor.start(module, undefined);
    await expect(task.call('text', 0)).rejects.toThrow(new Error('text'));
    await task.close();
  });

  test('closing waits for the calls in flight', async () => {
    const module = moduleOf(
      'slow.mjs',
      'export default () => ({ slow: () => new Promise((r) => setTimeout(r, 30, "done")) });',
    );
    const task = await nodeVfs.executor.start(module, undefined);
    const slow = task.call('slow', 0);
    await task.close();
    expect(await slow).toBe('done');
  });
});

describe('a task in the simulator', () => {
  test('runs its calls in order, at moments of the scheduler', async () => {
    const module = moduleOf(
      'files.mjs',
      `export default (init, vfs) => ({
        make: (name) => { vfs.openSync(init.dir + name, 'create').closeSync(); return vfs.readdirSync(init.dir).length; },
      });`,
    );
    const orders = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) {
      const sim = new SimVfs({ seed });
      const ran: string[] = [];
      await sim.run(async () => {
        const task = await sim.executor.start(module, { dir: '/' });
        const counts = ['a', 'b', 'c'].map(async (name) => {
          const count = await task.call('make', name);
          ran.push(name);
          return count;
        });
        await Promise.all([...counts, sim.stat('/').then(() => ran.push('stat'))]);
        expect(await Promise.all(counts)).toEqual([1, 2, 3]);
        await task.close();
      });
      orders.add(ran.join(''));
    }
    expect(orders.size).toBeGreaterThan(1);
    for (const order of orders) expect(order.replace('stat', '')).toBe('abc');
  });

  test('shares no memory with its caller', async () => {
    const module = moduleOf(
      'keeps.mjs',
      'export default () => { const kept = []; return { keep: (x) => { kept.push(x); return kept; } }; };',
    );
    const sim = new SimVfs();
    await sim.run(async () => {
      const task = await sim.executor.start(module, undefined);
      const input = { n: 1 };
      const first = task.call('keep', input);
      input.n = 2;
      const kept = (await first) as { n: number }[];
      kept[0].n = 3;
      expect(await task.call('keep', { n: 4 })).toEqual([{ n: 1 }, { n: 4 }]);
    });
  });
});

describe('where a task module is', () => {
  test('source names are mapped to what was built, and back', () => {
    const source = new URL('../src/conformance/task.js', import.meta.url);
    const built = new URL('../dist/conformance/task.js', import.meta.url);
    expect(builtModule(source).href).toBe(built.href);
    expect(builtModule(new URL('./task.ts', source)).href).toBe(built.href);
    expect(builtModule(built).href).toBe(built.href);
    expect(sourceModule(source).href).toBe(source.href.replace(/js$/, 'ts'));
    expect(sourceModule(built).href).toBe(built.href);
    const elsewhere = new URL('data:text/javascript,export default 1');
    expect(builtModule(elsewhere)).toBe(elsewhere);
    expect(sourceModule(elsewhere)).toBe(elsewhere);
  });
});
