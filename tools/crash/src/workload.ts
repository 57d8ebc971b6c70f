/**
 * What a client does: SET, INCR, HSET, DEL and MULTI over a few keys, so that keys are overwritten,
 * deleted and made again, with a read now and then. All from the seed.
 */
import { type Command, type Operation, sharedKey } from './model.js';
import type { Random } from './random.js';
import { describeValue } from './values.js';

const STRINGS = 24;
const COUNTERS = 4;
const HASHES = 6;
const FIELDS = 8;
export const SHARED_COUNTERS = 4;

/** Keys written once: something for images and recovery to work on. */
const BALLAST_KEYS = 20;
const BALLAST_BYTES = 20_000;

const VALUE_BYTES_MAX = 1500;
const FIELD_BYTES_MAX = 200;
/** Now and then a value that spans several pages, and fills a small segment by itself. */
const LARGE_VALUE_BYTES_MAX = 40_000;
const LARGE_VALUE_CHANCE = 0.01;

export class Workload {
  readonly #client: number;
  readonly #prefix: string;
  readonly #random: Random;
  #sequence = 0;
  #ballastLeft = BALLAST_KEYS;

  constructor(client: number, prefix: string, random: Random) {
    this.#client = client;
    this.#prefix = prefix;
    this.#random = random;
  }

  next(): Operation {
    const sequence = ++this.#sequence;
    if (this.#ballastLeft > 0) {
      const key = `${this.#prefix}b${--this.#ballastLeft}`;
      const value = describeValue(this.#client, sequence, key, BALLAST_BYTES);
      return { sequence, commands: [{ name: 'SET', key, value }], isTransaction: false };
    }
    const isTransaction = this.#random.chance(0.2);
    const commands = Array.from({ length: isTransaction ? this.#random.integer(2, 6) : 1 }, () =>
      this.#command(sequence),
    );
    return { sequence, commands, isTransaction };
  }

  #command(sequence: number): Command {
    const random = this.#random;
    const kind = random.weighted({ set: 35, incr: 10, shared: 12, hset: 20, del: 10, read: 8 });
    switch (kind) {
      case 'set':
        return this.#set(sequence);
      case 'incr':
        return { name: 'INCR', key: this.#key('n', COUNTERS) };
      case 'shared':
        return { name: 'INCR', key: sharedKey(random.integer(0, SHARED_COUNTERS - 1)) };
      case 'hset':
        return this.#hset(sequence);
      case 'del':
        return { name: 'DEL', keys: this.#keysToDelete() };
      case 'read':
        return random.chance(0.5)
          ? { name: 'GET', key: this.#key('s', STRINGS) }
          : { name: 'HGETALL', key: this.#key('h', HASHES) };
    }
  }

  #set(sequence: number): Command {
    const random = this.#random;
    const key = this.#key('s', STRINGS);
    const isLarge = random.chance(LARGE_VALUE_CHANCE);
    const padding = random.integer(0, isLarge ? LARGE_VALUE_BYTES_MAX : VALUE_BYTES_MAX);
    return { name: 'SET', key, value: describeValue(this.#client, sequence, key, padding) };
  }

  #hset(sequence: number): Command {
    const random = this.#random;
    const key = this.#key('h', HASHES);
    const fields = new Map<string, string>();
    for (let left = random.integer(1, 3); left > 0; left--) {
      const field = `f${random.integer(0, FIELDS - 1)}`;
      const padding = random.integer(0, FIELD_BYTES_MAX);
      fields.set(field, describeValue(this.#client, sequence, `${key}/${field}`, padding));
    }
    return { name: 'HSET', key, fields };
  }

  /** One to three keys of any type; a key named twice is deleted once. */
  #keysToDelete(): string[] {
    const random = this.#random;
    return Array.from({ length: random.integer(1, 3) }, () =>
      random.pick([this.#key('s', STRINGS), this.#key('h', HASHES), this.#key('n', COUNTERS)]),
    );
  }

  #key(type: string, count: number): string {
    return `${this.#prefix}${type}${this.#random.integer(0, count - 1)}`;
  }
}
