/**
 * Decimal integers as bytes, in Redis's strict form: no sign but `-`, no leading zero, no space,
 * no `-0` (`string2ll`). Values are 64-bit signed.
 *
 * Hot. Numbers carry what is exact in a double (up to 2^53 - 1); `bigint` is used only beyond.
 */

/** 2^63 - 1 and -2^63: what Redis stores. */
export const INT64_MAX = 2n ** 63n - 1n;
export const INT64_MIN = -(2n ** 63n);

/** Digits that always fit in a safe integer. */
const SAFE_DIGITS_MAX = 15;
/** Digits of the longest 64-bit integer. */
const INT64_DIGITS_MAX = 19;
/** Longest decimal form, with its sign. */
export const INTEGER_BYTES_MAX = INT64_DIGITS_MAX + 1;

const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** The integer in `bytes[from..to]`, or NaN where it is none or beyond +-(2^53 - 1). */
export function parseSafeInteger(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  const negative = at < to && bytes[at] === MINUS;
  if (negative) at++;
  const digits = to - at;
  if (digits < 1 || digits > SAFE_DIGITS_MAX + 1) return Number.NaN;
  if (bytes[at] === ZERO && (digits > 1 || negative)) return Number.NaN;
  let value = 0;
  for (; at < to; at++) {
    const byte = bytes[at];
    if (byte < ZERO || byte > NINE) return Number.NaN;
    value = value * 10 + (byte - ZERO);
  }
  if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
  return negative ? -value : value;
}

/** The integer in `bytes[from..to]`, or `undefined` where it is none or beyond 64 bits. */
export function parseInt64(bytes: Uint8Array, from: number, to: number): bigint | undefined {
  const negative = from < to && bytes[from] === MINUS;
  const start = negative ? from + 1 : from;
  const digits = to - start;
  if (digits < 1 || digits > INT64_DIGITS_MAX) return undefined;
  if (bytes[start] === ZERO && (digits > 1 || negative)) return undefined;
  let value = 0n;
  for (let at = start; at < to; at++) {
    const byte = bytes[at];
    if (byte < ZERO || byte > NINE) return undefined;
    value = value * 10n + BigInt(byte - ZERO);
  }
  if (negative) value = -value;
  return value > INT64_MAX || value < INT64_MIN ? undefined : value;
}

/**
 * Writes a safe integer in decimal so that it ends at the end of `target` (at least
 * `INTEGER_BYTES_MAX` long); returns where it starts.
 */
export function putInteger(target: Uint8Array, value: number): number {
  let at = target.length;
  let rest = value < 0 ? -value : value;
  do {
    const next = Math.floor(rest / 10);
    target[--at] = ZERO + (rest - next * 10);
    rest = next;
  } while (rest > 0);
  if (value < 0) target[--at] = MINUS;
  return at;
}

/** The same for what may be beyond a safe integer. */
export function putInt64(target: Uint8Array, value: bigint): number {
  const text = value.toString();
  const start = target.length - text.length;
  for (let i = 0; i < text.length; i++) target[start + i] = text.charCodeAt(i);
  return start;
}
