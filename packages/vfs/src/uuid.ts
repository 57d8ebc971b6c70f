/** Random bytes made a version 4 uuid (RFC 9562, section 5.4): in place, returned for chaining. */
export function stampUuid(bytes: Uint8Array): Uint8Array {
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes;
}
