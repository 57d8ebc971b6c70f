/**
 * Arithmetic of addresses.
 *
 *     offset   bytes from the start of the region; a number up to 2^35
 *     unit     offset / 8; what regions store, 32 bits, unsigned
 *     line     offset / 64; 29 bits
 *
 *     window = unit >>> UNIT_WINDOW_SHIFT      position in it, in units = unit & UNIT_POSITION_MASK
 *
 * Offsets need divisions, units and lines only shifts: hot paths keep units.
 */
import { WINDOW_BYTES_MAX } from './limits.js';

export const UNIT_BYTES = 8;
export const LINE_BYTES = 64;
export const LINE_WORDS = 16;

export const UNIT_WINDOW_SHIFT = 27;
export const UNIT_POSITION_MASK = 0x7ffffff;
export const LINE_WINDOW_SHIFT = 24;
export const LINE_POSITION_MASK = 0xffffff;
export const WINDOW_LINES_MAX = WINDOW_BYTES_MAX / LINE_BYTES;

/** The window that holds byte `offset` of the region. */
export function windowOf(offset: number): number {
  return Math.floor(offset / WINDOW_BYTES_MAX);
}

/** Where in its window byte `offset` of the region is, in bytes. */
export function positionOf(offset: number): number {
  return offset % WINDOW_BYTES_MAX;
}

/** What is stored for the allocation at `offset`, as an unsigned 32-bit number. */
export function toUnit(offset: number): number {
  return offset / UNIT_BYTES;
}

/** The offset that a stored unit stands for; takes signed and unsigned 32-bit numbers. */
export function toOffset(unit: number): number {
  return (unit >>> 0) * UNIT_BYTES;
}
