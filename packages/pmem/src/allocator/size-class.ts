/**
 * Size classes of free blocks, in lines: exact up to 31, then four steps a power of two.
 *
 *     lines   2 3 4 ... 31 | 32-39 40-47 48-55 56-63 | 64-79 ...   2^24
 *     class   2 3 4 ... 31 |  32    33    34    35   |  36   ...   111
 */
const EXACT_LINES = 32;

export const CLASS_COUNT = 112;

/** The class of a block of `lines` lines, 1 to 2^24. */
export function classOf(lines: number): number {
  if (lines < EXACT_LINES) return lines;
  const power = 31 - Math.clz32(lines);
  return EXACT_LINES + (power - 5) * 4 + ((lines >>> (power - 2)) & 3);
}
