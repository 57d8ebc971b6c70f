/**
 * Reads a whole table: every byte is under a checksum that is compared here, and what the parts say of
 * each other must agree.
 *
 * Damage is what a checksum finds. Disagreement between parts whose checksums are good would be a writer
 * that is wrong; it is reported the same way, at the block where it shows.
 */

import type { Frame } from '../cache/frame.js';
import { type Entry, EntryKind } from '../entry.js';
import { corrupt } from '../errors.js';
import { checkHead, HEAD_BYTES } from '../file-head.js';
import { compareBytes } from '../order.js';
import { decodeBlock } from './block-codec.js';
import { decodeFooter } from './footer.js';
import { type BlockHandle, BlockType, FOOTER_BYTES } from './format.js';
import type { TableParts } from './table-reader.js';

/** Throws `LSM_CORRUPT`, `LSM_WRONG_KEY`, or the errno error of a read. */
export function verifyTable(parts: TableParts): void {
  const { source, footer, index, properties, fileBytes } = parts;
  const { path } = source.file;
  let end = HEAD_BYTES;
  const walker = new EntryWalker(parts);
  let frame: Frame | undefined;
  for (let block = 0; block < (index?.blocks ?? 0); block++) {
    const { offset, bytes } = index!.handle(block);
    if (offset !== end) throw corrupt(path, end, `expected block ${block} here, not at ${offset}`);
    frame = source.decodeInto(frame, BlockType.data, offset, source.read(offset, bytes));
    walker.walk(frame, offset);
    walker.checkSeparator(index!.separator(block), offset);
    end += bytes;
  }
  for (const [name, type, { offset, bytes }] of behindData(parts)) {
    if (bytes === 0) continue;
    if (offset !== end) throw corrupt(path, end, `expected ${name} here, not at ${offset}`);
    decodeBlock(path, source.head, offset, type, source.read(offset, bytes));
    end += bytes;
  }
  const footerAt = fileBytes - FOOTER_BYTES;
  if (end !== footerAt) throw corrupt(path, end, `expected the footer here, not at ${footerAt}`);
  decodeFooter(path, source.head, fileBytes, source.read(footerAt, FOOTER_BYTES));
  checkHead(source.file, source.head);
  if (walker.entries !== properties.entries) {
    throw corrupt(
      path,
      footer.properties.offset,
      `expected ${properties.entries} entries, got ${walker.entries}`,
    );
  }
}

function behindData({ footer, index }: TableParts): [string, BlockType, BlockHandle][] {
  return [
    ...(index?.partitions ?? []).map((place, p): [string, BlockType, BlockHandle] => [
      `partition ${p}`,
      BlockType.partition,
      place,
    ]),
    ['the filter', BlockType.filter, footer.filter],
    ['the range tombstones', BlockType.tombstones, footer.tombstones],
    ['the root', BlockType.root, footer.root],
    ['the properties', BlockType.properties, footer.properties],
  ];
}

/** Goes over all entries and compares each with the one before, the filter and the properties. */
class EntryWalker {
  entries = 0;
  readonly #parts: TableParts;
  readonly #entry: Entry;
  #lastKey = new Uint8Array(0);
  #lastSequence = 0;

  constructor(parts: TableParts) {
    this.#parts = parts;
    this.#entry = {
      keyBytes: this.#lastKey,
      keyFrom: 0,
      keyTo: 0,
      sequence: 0,
      kind: EntryKind.put,
      expireAtMs: 0,
      valueBytes: this.#lastKey,
      valueFrom: 0,
      valueTo: 0,
    };
  }

  walk(frame: Frame, offset: number): void {
    const entry = this.#entry;
    const { properties, filter, source } = this.#parts;
    const { path } = source.file;
    for (let i = 0; i < frame.count; i++) {
      frame.show(i, entry);
      const { keyBytes, keyFrom, keyTo, sequence } = entry;
      const last = this.#lastKey;
      const order = compareBytes(last, 0, last.length, keyBytes, keyFrom, keyTo);
      if (this.entries > 0 && (order > 0 || (order === 0 && this.#lastSequence <= sequence))) {
        throw corrupt(path, offset, `entry ${i} of a block is out of order`);
      }
      if (order !== 0 && filter !== undefined && !filter.mayContain(keyBytes, keyFrom, keyTo)) {
        throw corrupt(path, offset, `the filter lacks the key of entry ${i}`);
      }
      if (sequence < properties.sequenceMin || sequence > properties.sequenceMax) {
        throw corrupt(path, offset, `entry ${i} has a sequence outside of the table's`);
      }
      this.#lastKey = keyBytes.slice(keyFrom, keyTo);
      this.#lastSequence = sequence;
      this.entries++;
      this.#checkBounds(offset);
    }
  }

  /** The separator behind the block that was walked last is not before its last key. */
  checkSeparator(separator: Uint8Array, offset: number): void {
    const last = this.#lastKey;
    if (compareBytes(last, 0, last.length, separator, 0, separator.length) <= 0) return;
    throw corrupt(
      this.#parts.source.file.path,
      offset,
      'its separator in the index is before its last key',
    );
  }

  #checkBounds(offset: number): void {
    const { smallest, largest } = this.#parts.properties;
    const key = this.#lastKey;
    if (
      compareBytes(smallest, 0, smallest.length, key, 0, key.length) <= 0 &&
      compareBytes(key, 0, key.length, largest, 0, largest.length) <= 0
    ) {
      return;
    }
    throw corrupt(this.#parts.source.file.path, offset, "a key is outside of the table's range");
  }
}
