/** A secret leaves no trace of itself, in memory or in print. */
import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SecretBuffer } from '@nendb/pmem';
import { expect, test } from 'vitest';

const PASSWORD = 'correct horse';

test('a release zeroes the bytes that were handed out, and refuses later use', () => {
  const secret = SecretBuffer.take(Buffer.from(PASSWORD));
  const { bytes } = secret;
  expect(Buffer.from(bytes).toString()).toBe(PASSWORD);
  secret.release();
  expect(bytes.every((byte) => byte === 0)).toBe(true);
  expect(secret.released).toBe(true);
  expect(() => secret.bytes).toThrow(expect.objectContaining({ code: 'PMEM_SECRET_RELEASED' }));
  secret.release();
});

test('taking a secret over zeroes where it came from', () => {
  const source = Buffer.from(PASSWORD);
  SecretBuffer.take(source).release();
  expect(source.every((byte) => byte === 0)).toBe(true);
});

test('the memory is not shared with other buffers', () => {
  const secret = new SecretBuffer(32);
  expect(secret.bytes.buffer.byteLength).toBe(32);
  secret.release();
});

test.each([
  ['a string', (secret: SecretBuffer) => `${secret}`],
  ['JSON', (secret: SecretBuffer) => JSON.stringify({ secret })],
  ['console.log', (secret: SecretBuffer) => inspect({ secret }, { depth: 9, showHidden: true })],
  ['its own properties', (secret: SecretBuffer) => Object.values(secret).join()],
])('%s does not show it', (_what, show) => {
  const secret = SecretBuffer.take(Buffer.from(PASSWORD));
  const shown = show(secret);
  expect(shown).not.toContain(PASSWORD);
  expect(shown).not.toContain(String(PASSWORD.charCodeAt(0)));
  secret.release();
});

test('one that was forgotten is wiped when it is collected', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const forget = (): Uint8Array => SecretBuffer.take(Buffer.from(PASSWORD)).bytes;
  const bytes = forget();
  for (let i = 0; i < 200 && bytes[0] !== 0; i++) {
    collect();
    await pause(10);
  }
  expect(bytes.every((byte) => byte === 0)).toBe(true);
});

test('use wipes it, also when the work fails', async () => {
  const secret = SecretBuffer.take(Buffer.from(PASSWORD));
  let seen: Uint8Array | undefined;
  const work = secret.use(async (bytes) => {
    await pause(1);
    seen = bytes;
    throw new Error('no such key');
  });
  await expect(work).rejects.toThrow('no such key');
  expect(seen?.every((byte) => byte === 0)).toBe(true);
  expect(secret.released).toBe(true);
});
