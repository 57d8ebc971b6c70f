/**
 * The slot of a key in a Redis cluster: CRC-16 (XMODEM) of the key, or of what stands between its first `{` and the
 * next `}` where that is not empty, modulo 16384 (Redis cluster specification, "Key distribution model").
 */
import { SLOTS } from './format.js';

const POLYNOMIAL = 0x1021;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
  return crc;
});

export function slotOf(key: Uint8Array, from: number, to: number): number {
  const open = indexOf(key, OPEN, from, to);
  if (open >= 0) {
    const close = indexOf(key, CLOSE, open + 1, to);
    if (close > open + 1) return crc16(key, open + 1, close) % SLOTS;
  }
  return crc16(key, from, to) % SLOTS;
}

export function crc16(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0;
  for (let at = from; at < to; at++) crc = (crc << 8) ^ table[((crc >> 8) ^ bytes[at]) & 0xff];
  return crc & 0xffff;
}

function indexOf(bytes: Uint8Array, byte: number, from: number, to: number): number {
  for (let at = from; at < to; at++) if (bytes[at] === byte) return at;
  return -1;
}
