import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FileContent } from '../src/sim/content.js';
import { propertySeeds } from './seeds.js';

type Edit =
  | { type: 'write'; at: number; length: number; fill: number }
  | { type: 'resize'; size: number };

const SIZE_MAX = 80_000;

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({
    type: fc.constant('write' as const),
    at: fc.nat(SIZE_MAX),
    length: fc.oneof(fc.nat(20), fc.nat(3000), fc.constant(40_000)),
    fill: fc.nat(2),
  }),
  fc.record({ type: fc.constant('resize' as const), size: fc.nat(SIZE_MAX) }),
);

function applyToContent(content: FileContent, change: Edit): FileContent {
  return change.type === 'resize'
    ? content.resize(change.size)
    : content.write(Buffer.alloc(change.length, change.fill), change.at);
}

function applyToBuffer(bytes: Buffer, change: Edit): Buffer {
  const size =
    change.type === 'resize'
      ? change.size
      : change.length === 0
        ? bytes.length
        : Math.max(bytes.length, change.at + change.length);
  const next = Buffer.alloc(size);
  bytes.copy(next);
  if (change.type === 'write' && change.length > 0)
    next.fill(change.fill, change.at, change.at + change.length);
  return next;
}

describe('file content', () => {
  test.each(propertySeeds('content'))(
    'is an array of bytes that never changes, seed %i',
    (seed) => {
      fc.assert(
        fc.property(fc.array(edit, { maxLength: 12 }), (edits) => {
          let content = FileContent.EMPTY;
          let bytes: Buffer = Buffer.alloc(0);
          const past: [FileContent, Buffer][] = [];
          for (const change of edits) {
            past.push([content, bytes]);
            content = applyToContent(content, change);
            bytes = applyToBuffer(bytes, change);
            expect(content.size).toBe(bytes.length);
          }
          for (const [then, expected] of [...past, [content, bytes] as const]) {
            expect(Buffer.compare(then.bytes(), expected)).toBe(0);
            const differing = new Set(then.differences(content));
            const sectors = Math.ceil(Math.max(then.size, content.size) / 512);
            for (let index = 0; index < sectors; index++) {
              if (differing.has(index)) continue;
              const range = [
                index * 512,
                Math.min(then.size, content.size, (index + 1) * 512),
              ] as const;
              expect(bytes.subarray(...range).equals(expected.subarray(...range))).toBe(true);
            }
          }
        }),
        { seed, numRuns: 60 },
      );
    },
  );

  test('patching with the differences gives the other content', () => {
    const one = FileContent.EMPTY.write(Buffer.alloc(5000, 1), 0);
    const other = one
      .write(Buffer.alloc(700, 2), 900)
      .resize(4000)
      .write(Buffer.alloc(10, 3), 33_000);
    const patch = other.differences(one).map((index) => [index, other.sector(index)] as const);
    expect(one.patch(patch, other.size).bytes()).toEqual(other.bytes());
  });

  test('written zeros take up space, holes do not', () => {
    const hole = FileContent.EMPTY.resize(10_240);
    expect(hole.allocatedSectors()).toBe(0);
    expect(hole.write(new Uint8Array(10_240), 0).allocatedSectors()).toBe(20);
  });
});
