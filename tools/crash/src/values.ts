/**
 * Values that describe themselves, so that a value under a wrong key, an old one, or one that
 * nobody wrote is seen for what it is.
 *
 *     <client>#<sequence>@<key>~<padding>!<CRC-32 of all before, in hex>
 */
import { crc32 } from 'node:zlib';

const PATTERN = /^(\d+)#(\d+)@([^~]*)~x*!([0-9a-f]{1,8})$/;

/** A value of about `paddingBytes` more than its description. */
export function describeValue(
  client: number,
  sequence: number,
  key: string,
  paddingBytes: number,
): string {
  const body = `${client}#${sequence}@${key}~${'x'.repeat(paddingBytes)}`;
  return `${body}!${crc32(body).toString(16)}`;
}

/**
 * What is wrong with a value found under `key`; undefined if it is whole, belongs there, and is no
 * newer than `sequenceMax`, the last that was sent.
 */
export function valueFault(value: string, key: string, sequenceMax: number): string | undefined {
  const [, , sequence, owner, checksum] = PATTERN.exec(value) ?? [];
  if (sequence === undefined) return `no value that anybody wrote: ${excerpt(value)}`;
  const body = value.slice(0, value.lastIndexOf('!'));
  if (crc32(body).toString(16) !== checksum) return `a checksum that fails: ${excerpt(value)}`;
  if (owner !== key) return `the value of ${owner}, sequence ${sequence}`;
  if (Number(sequence) > sequenceMax) return `sequence ${sequence}, which was never sent`;
  return undefined;
}

/** A long value in a message. */
export function excerpt(value: string): string {
  return value.length <= 60 ? value : `${value.slice(0, 40)}…(${value.length} bytes)`;
}
