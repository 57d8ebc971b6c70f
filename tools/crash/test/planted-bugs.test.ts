import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CrashFailure, type CrashOptions, runCrashCycles } from '../src/index.js';

const script = fileURLToPath(new URL('small-server.mjs', import.meta.url));

function options(bug?: string): CrashOptions {
  const args = bug === undefined ? [] : ['--bug', bug];
  return { script, cycles: 4, seed: 20261120, clients: 3, writesMin: 150, args };
}

/** The failure of a run that must fail; its data directory is removed. */
async function failureOf(bug: string): Promise<CrashFailure> {
  try {
    await runCrashCycles({ ...options(bug), cycles: 8 });
  } catch (error) {
    if (!(error instanceof CrashFailure)) throw error;
    const kept = /data kept in (\S+)/.exec(error.message)?.[1];
    if (kept !== undefined) rmSync(dirname(kept), { recursive: true, force: true });
    return error;
  }
  throw new Error(`expected the driver to find the planted bug '${bug}', it found nothing`);
}

describe('the driver', () => {
  it('has nothing to say against an honest server', async () => {
    const report = await runCrashCycles(options());
    expect(report.cycles).toBe(4);
    expect(report.acknowledgedWritesMin).toBeGreaterThanOrEqual(150);
    expect(report.kills.random.count).toBe(2);
    expect(report.kills.rotation.count).toBe(1);
    expect(report.kills.snapshot.count).toBe(1);
    expect(report.kills.recovery.count).toBeGreaterThanOrEqual(1);
  });

  it.each([
    ['lose', 'CRASH_LOST'],
    // A half that counted a shared counter up shows there.
    ['tear', /^CRASH_(TORN|COUNTER)$/],
    ['double', 'CRASH_COUNTER'],
    ['invent', 'CRASH_INVENTED'],
    ['corrupt', 'CRASH_INVENTED'],
    ['lie', 'CRASH_REPLY'],
    ['refuse', 'CRASH_SERVER'],
    ['quit', 'CRASH_SERVER'],
    ['unclean', 'CRASH_SERVER'],
  ])('finds the server that would %s, and says how to have it again', async (bug, code) => {
    const failure = await failureOf(bug);
    expect(failure.code).toMatch(code);
    expect(failure.message.split('\n').at(-1)).toBe(
      `reproduce: node tools/crash/dist/main.js --cycles 8 --seed 20261120 --clients 3 --writes 150 --server ${script} -- --bug ${bug}`,
    );
  });
});
