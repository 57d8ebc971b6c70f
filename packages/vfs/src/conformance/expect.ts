/** Expectations of the suite, over `node:assert`, so that any test framework can run it. */
import assert from 'node:assert/strict';
import { errorCode } from '../errors.js';
import type { Half, HalfFile } from './subject.js';

/** `call` must reject with one of `codes`; the error names a system call and a path. */
export async function expectCode(
  call: Promise<unknown>,
  ...codes: readonly string[]
): Promise<Error> {
  let failure: unknown;
  try {
    await call;
  } catch (error) {
    failure = error;
  }
  assert(failure instanceof Error, `expected ${codes.join(' or ')}, got no error`);
  const code = errorCode(failure);
  assert(
    code !== undefined && codes.includes(code),
    `expected ${codes.join(' or ')}, got ${code}: ${failure.message}`,
  );
  const { syscall, path } = failure as { syscall?: unknown; path?: unknown };
  assert.equal(typeof syscall, 'string', `expected ${code} to name its system call`);
  assert.equal(typeof path, 'string', `expected ${code} to name its path`);
  return failure;
}

/** All bytes of an open file, as text. */
export async function readText(file: HalfFile): Promise<string> {
  const bytes = Buffer.alloc(await file.size());
  assert.equal(await file.readAt(bytes, 0), bytes.length);
  return bytes.toString('latin1');
}

export async function writeText(file: HalfFile, text: string, position = 0): Promise<void> {
  await writeAll(file, Buffer.from(text, 'latin1'), position);
}

/** Writes all of `source`: a write may be short, but not by everything. */
export async function writeAll(
  file: Pick<HalfFile, 'writeAt'>,
  source: Uint8Array,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < source.length) {
    const rest = source.subarray(done);
    const written = await file.writeAt(rest, position + done);
    assert(written > 0 && written <= rest.length, `expected 1 to ${rest.length}, got ${written}`);
    done += written;
  }
}

/** A closed file at `path` that holds `text`. */
export async function makeFile(half: Half, path: string, text: string): Promise<void> {
  const file = await half.open(path, 'create');
  await writeText(file, text);
  await file.close();
}

export async function fileText(half: Half, path: string): Promise<string> {
  const file = await half.open(path, 'read');
  const text = await readText(file);
  await file.close();
  return text;
}
