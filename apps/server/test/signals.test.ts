import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { SIGNAL_MERGE_MS } from '../src/limits.js';
import { obeySignals } from '../src/shutdown.js';

function setUp() {
  const calls: string[] = [];
  const clock = { nowMs: 5_000 };
  const source = new EventEmitter();
  const release = obeySignals(
    {
      stop: async (reason) => void calls.push(`stop ${reason}`),
      abort: async (reason) => void calls.push(`abort ${reason}`),
    },
    source,
    () => clock.nowMs,
  );
  return { calls, clock, source, release };
}

describe('signals', () => {
  it('stop the server in order, the first time', () => {
    const { calls, source } = setUp();
    source.emit('SIGTERM');
    expect(calls).toEqual(['stop SIGTERM']);
  });

  it('within one second count as one', () => {
    const { calls, clock, source } = setUp();
    source.emit('SIGINT');
    source.emit('SIGINT');
    clock.nowMs += SIGNAL_MERGE_MS;
    source.emit('SIGTERM');
    expect(calls).toEqual(['stop SIGINT']);
  });

  it('force a quick stop when they come again later', () => {
    const { calls, clock, source } = setUp();
    source.emit('SIGINT');
    clock.nowMs += SIGNAL_MERGE_MS + 1;
    source.emit('SIGINT');
    source.emit('SIGINT');
    expect(calls).toEqual(['stop SIGINT', 'abort SIGINT']);
  });

  it('are left alone again after release', () => {
    const { calls, source, release } = setUp();
    release();
    source.emit('SIGINT');
    expect(calls).toEqual([]);
    expect(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM')).toBe(0);
  });
});
