/** The ways in which an image can be stored, and what to write so that each is really used. */
import type { Encryption } from '@nendb/codec';
import type { SnapshotWriteOptions } from '@nendb/snapshot';

/** 32 bytes that are no secret here. */
export const key = Uint8Array.from({ length: 32 }, (_, i) => 0xc0 ^ (i * 7));
export const otherKey = Uint8Array.from({ length: 32 }, (_, i) => 0x3c ^ (i * 5));
export const encryption: Encryption = { key };

export interface Mode {
  write: Pick<SnapshotWriteOptions, 'compression' | 'encryption'>;
  read: { encryption?: Encryption };
}

export const MODES: Readonly<Record<string, Mode>> = {
  'in the clear': { write: {}, read: {} },
  deflated: { write: { compression: 'deflate' }, read: {} },
  encrypted: { write: { encryption }, read: { encryption } },
  'deflated and encrypted': {
    write: { compression: 'deflate', encryption },
    read: { encryption },
  },
};

/** Bytes that shrink, different in every image: what a block of records looks like. */
export function records(n: number, bytes: number): Buffer {
  const line = Buffer.from(`{"user":${n}07,"visits":[1,2,3],"name":"somebody"}\n`);
  return Buffer.alloc(bytes, line);
}

/** Bytes that do not shrink. */
export function noise(bytes: number, seed = 1): Buffer {
  const result = Buffer.alloc(bytes);
  let state = seed;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    result[i] = state >>> 24;
  }
  return result;
}
