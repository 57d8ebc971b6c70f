/** Expectations of the suite, over `node:assert`, so that any test framework can run it. */
import assert from 'node:assert/strict';
import { PmemError, type PmemErrorCode } from '../errors.js';
import type { Region } from '../region.js';

/** `work` must throw a `PmemError` with `code`, and leave the region as it was. */
export function expectCode(code: PmemErrorCode, work: () => unknown): void {
  let failure: unknown;
  try {
    work();
  } catch (error) {
    failure = error;
  }
  assert(failure instanceof PmemError, `expected ${code}, got ${String(failure)}`);
  assert.equal(failure.code, code, failure.message);
}

export function expectSound(region: Region): void {
  assert.deepEqual(region.verify().problems, []);
}

/** Fills the allocation at `offset` with bytes that tell `mark`, and makes them durable. */
export function mark(region: Region, offset: number, bytes: number, mark: number): void {
  const content = new Uint8Array(bytes).fill(mark);
  region.windows[0].copyIn(offset, content, 0, bytes);
  region.persist(offset, bytes);
}

export function expectMark(region: Region, offset: number, bytes: number, mark: number): void {
  const content = region.windows[0].u8.subarray(offset, offset + bytes);
  const wrong = content.findIndex((byte) => byte !== mark);
  assert.equal(wrong, -1, `expected ${mark} at ${offset + wrong}, got ${content[wrong]}`);
}
