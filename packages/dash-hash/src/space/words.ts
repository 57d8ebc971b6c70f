/** Addresses as this package computes them: units in words, words in windows, bytes for the region. */
import type { RegionWindow } from '@nendb/pmem';
import { POSITION_MASK, WINDOW_SHIFT, type Windows } from '../log/record.js';

/** Index, in its window's 32-bit arrays, of the first word at `unit`. */
export function wordOf(unit: number): number {
  return (unit & POSITION_MASK) << 1;
}

export function windowAt(windows: Windows, unit: number): RegionWindow {
  return windows[unit >>> WINDOW_SHIFT];
}

/** The byte offset that the region's methods take. */
export function offsetOf(unit: number): number {
  return (unit >>> 0) * 8;
}

/** Byte offset of word `index` of the window that holds `unit`. */
export function offsetOfWord(unit: number, index: number): number {
  return (unit >>> WINDOW_SHIFT) * 2 ** 30 + index * 4;
}
