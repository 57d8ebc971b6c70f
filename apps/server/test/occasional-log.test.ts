import { describe, expect, it } from 'vitest';
import { WARNING_INTERVAL_MS } from '../src/limits.js';
import type { Logger } from '../src/log.js';
import { OccasionalLog } from '../src/occasional-log.js';

describe('warnings that strangers cause', () => {
  it('are logged once in an interval, each message for itself, and counted', () => {
    const lines: unknown[] = [];
    const clock = { nowMs: 0 };
    const sink = { warn: (fields: object, message: string) => lines.push([message, fields]) };
    const log = new OccasionalLog(sink as unknown as Logger, () => clock.nowMs);
    for (let i = 0; i < 5; i++) log.warn({ i }, 'refused');
    log.warn({}, 'evicted');
    clock.nowMs += WARNING_INTERVAL_MS - 1;
    log.warn({ i: 5 }, 'refused');
    clock.nowMs += 1;
    log.warn({ i: 6 }, 'refused');
    log.warn({}, 'evicted');
    expect(lines).toEqual([
      ['refused', { i: 0 }],
      ['evicted', {}],
      ['refused', { i: 6, leftOut: 5 }],
      ['evicted', {}],
    ]);
  });
});
