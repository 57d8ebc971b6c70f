/**
 * How a header prints: in `JSON.stringify` its LSN is a decimal string, for JSON readers elsewhere have
 * 53 bits, or fewer, and its uuid is text.
 *
 * `toJSON` is not enumerable: headers compare, spread and clone as the plain data that they are.
 */
import { formatUuid } from '@nendb/codec';
import type { SnapshotHeader } from './types.js';

/** `header` itself, which prints as described from now on. */
export function printable(header: SnapshotHeader): SnapshotHeader {
  return Object.defineProperty(header, 'toJSON', { value: printed });
}

function printed(this: SnapshotHeader): object {
  return { ...this, lsn: String(this.lsn), uuid: formatUuid(this.uuid) };
}
