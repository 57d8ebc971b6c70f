/** UUIDs (RFC 9562) as 16 bytes on disk and as text for people. */

export const UUID_BYTES = 16;

const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** `bytes` (16 of them) as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`. */
export function formatUuid(bytes: Uint8Array): string {
  if (bytes.length !== UUID_BYTES) {
    throw new RangeError(`expected a uuid of ${UUID_BYTES} bytes, got ${bytes.length}`);
  }
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The 16 bytes that `text` names. Throws `RangeError` unless it is a uuid. */
export function parseUuid(text: string): Uint8Array {
  if (!UUID_TEXT.test(text)) {
    throw new RangeError(
      `expected a uuid (8-4-4-4-12 hexadecimal digits), got ${JSON.stringify(text)}`,
    );
  }
  return new Uint8Array(Buffer.from(text.replaceAll('-', ''), 'hex'));
}

/** Whether two uuids are the same 16 bytes. Anything of another length is the same as nothing. */
export function sameUuid(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== UUID_BYTES || b.length !== UUID_BYTES) return false;
  for (let i = 0; i < UUID_BYTES; i++) if (a[i] !== b[i]) return false;
  return true;
}
