/**
 * HalfSipHash-1-3 over raw bytes with a 64-bit key: what Linux uses for its own tables. Hot.
 *
 * Two lanes of 32 bits come out: `hash` chooses directory entry, bucket and slot, `print` is a byte
 * that tells most other keys of a bucket apart. Mixers that are faster (murmur, wyhash with 32-bit
 * lanes) have collisions that hold under every seed, which is what a seed is there to prevent.
 *
 * Source: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF"; HalfSipHash as in
 * Linux `lib/siphash.c` (`hsiphash`), with a second lane from the same final state.
 */

/** The byte that goes with the last `hash32`. One thread has one module: nothing is interleaved. */
export let lastPrint = 0;

/** Hashes `bytes[from, to)`; a signed 32-bit number. `lastPrint` is its byte. */
export function hash32(
  seed0: number,
  seed1: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): number {
  let v0 = seed0 | 0;
  let v1 = seed1 | 0;
  let v2 = 0x6c796765 ^ v0;
  let v3 = 0x74656462 ^ v1;
  let at = from;
  const whole = to - 3;
  while (at < whole) {
    const m = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    v3 ^= m;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= m;
    at += 4;
  }
  let last = (to - from) << 24;
  if (at < to) last |= bytes[at];
  if (at + 1 < to) last |= bytes[at + 1] << 8;
  if (at + 2 < to) last |= bytes[at + 2] << 16;
  v3 ^= last;
  v0 = (v0 + v1) | 0;
  v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
  v0 = (v0 << 16) | (v0 >>> 16);
  v2 = (v2 + v3) | 0;
  v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
  v2 = (v2 << 16) | (v2 >>> 16);
  v0 ^= last;
  v2 ^= 0xff;
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
  }
  lastPrint = (v0 ^ v2) & 0xff;
  return v1 ^ v3;
}
