/** One of the two sides: takes requests in a row, gives their replies in order. */
import type { DifferentialRequest } from './request.js';

export interface Peer {
  /** One reply for each request, as its bytes. */
  run(requests: readonly DifferentialRequest[]): Promise<Buffer[]>;
  /** A new connection. */
  reconnect(): Promise<void>;
  close(): Promise<void>;
}

/** Values that RESTORE is given the dumps of: each peer asks its own server for them first. */
export const DUMPED: readonly (readonly string[])[] = [
  ['SET', 'dumped', 'a string'],
  ['SET', 'dumped', '12345'],
  ['SET', 'dumped', ''],
  ['HSET', 'dumped', 'f1', 'v', 'f2', '10'],
  ['HSET', 'dumped', ...Array.from({ length: 200 }, (_, i) => `f${i}`)],
];
