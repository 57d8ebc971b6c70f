/**
 * The records of all tables of a region: chunks filled from front to back.
 *
 *     space ─▶ chunk ◀─▶ chunk ◀─▶ chunk      newest first; the first is being filled
 *              header | record | record | ... | zeros (where the region outlives its process)
 *
 * Invariants
 *  1. A record is durable before the next one is placed: after a crash only the last of a chunk can
 *     be unfinished, and its head word, stored last, says so.
 *  2. A chunk in use is whole: records are given back by moving the live ones elsewhere and the
 *     chunk under epochs (`compactor.ts`). Until then what a slot ever named can be read.
 *  3. `deadUnits` counts records that no slot names. After a crash it may be too low, never too
 *     high; compaction asks the tables.
 *  4. A chunk is as long as a page of `#pages`, so that at most one begins in a page.
 *
 * Concurrency: the writer's thread alone. Other threads read records, under epochs.
 */
import {
  CHUNK,
  CHUNK_HEADER_BYTES,
  CHUNK_HEADER_UNITS,
  HEAD,
  RECORD,
  RECORD_EXPIRING_BYTES,
  RECORD_HEADER_BYTES,
  SPACE,
} from '../format.js';
import { PIECE_BYTES_MAX, PIECES_PER_CHUNK_MIN, SPARE_CHUNKS_MIN } from '../limits.js';
import type { Space } from '../space/space.js';
import { offsetOf, offsetOfWord, windowAt, wordOf } from '../space/words.js';
import { Compactor } from './compactor.js';
import { chainedUnits, writeChained, writePieces } from './pieces.js';
import {
  PIECE_OVERHEAD_BYTES,
  POSITION_MASK,
  RecordReader,
  WINDOW_SHIFT,
  type Windows,
} from './record.js';

export class RecordLog {
  readonly reader: RecordReader;
  readonly compactor: Compactor;
  readonly chunkUnits: number;
  /** Longest record that is not chained, in bytes. */
  readonly plainBytesMax: number;
  readonly #space: Space;
  readonly #windows: Windows;
  /** For each page of the region the chunk that begins in it, or 0. */
  readonly #pages: Uint32Array;
  readonly #pageShift: number;
  /** Where the next record goes, and where its chunk ends, in units. */
  #tail = 0;
  #end = 0;
  #open = 0;
  /** An empty chunk kept back, so that compaction can begin in a full region. */
  #spare = 0;
  /** Empty chunks set aside by `reserve`. */
  readonly #ready: number[] = [];
  #chunks = 0;
  /** Units of records in all chunks but the open one, and of those in all that are dead. */
  #sealedUnits = 0;
  #deadUnits = 0;
  /** Units of records whose end came since the image began. */
  retainedUnits = 0;
  /** Units of the record appended last, with its pieces. */
  appendedUnits = 0;

  constructor(space: Space, chunkUnits: number) {
    this.#space = space;
    this.#windows = space.windows;
    this.chunkUnits = chunkUnits;
    const pieceBytes = pieceBytesOf(chunkUnits * 8);
    this.reader = new RecordReader(space.windows, pieceBytes);
    this.plainBytesMax = Math.min(pieceBytes, HEAD.keyMask);
    this.#pageShift = 31 - Math.clz32(chunkUnits);
    this.#pages = new Uint32Array(Math.ceil(space.region.bytesMax / 8 / chunkUnits) + 1);
    this.compactor = new Compactor(space, this);
  }

  /** Takes up the chunks of an opened region. After a crash the open chunk's end is looked for. */
  load(crashed: boolean): void {
    const open = this.#space.word(SPACE.openChunk);
    for (
      let at = this.#space.word(SPACE.firstChunk);
      at !== 0;
      at = this.chunkWord(at, CHUNK.next)
    ) {
      this.#pages[at >>> this.#pageShift] = at;
      this.#chunks++;
      this.#deadUnits += this.chunkWord(at, CHUNK.deadUnits);
      if (at !== open) this.#sealedUnits += this.chunkWord(at, CHUNK.filledUnits);
    }
    if (open === 0) return;
    this.#open = open;
    const first = open + CHUNK_HEADER_UNITS;
    this.#end = open + this.chunkUnits;
    this.#tail = first + this.chunkWord(open, CHUNK.filledUnits);
    if (crashed) this.#findTail();
  }

  /** Appends a record; durable when this returns. Throws `PMEM_EXHAUSTED`: nothing was changed. */
  append(
    table: number,
    hash: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
    flags: number,
    expireAtMs: number,
  ): number {
    const keyBytes = keyTo - keyFrom;
    const valueBytes = valueTo - valueFrom;
    const header = expireAtMs === 0 ? RECORD_HEADER_BYTES : RECORD_EXPIRING_BYTES;
    const bytes = header + keyBytes + valueBytes;
    if (bytes > this.plainBytesMax) {
      this.appendedUnits = chainedUnits(this, keyBytes + valueBytes, expireAtMs !== 0);
      this.reserve(this.appendedUnits);
      const payload = { key, keyFrom, keyTo, value, valueFrom, valueTo };
      const pieces = writePieces(this, table, hash, payload);
      return writeChained(this, table, keyBytes, valueBytes, flags, expireAtMs, pieces);
    }
    const units = (bytes + 7) >>> 3;
    this.appendedUnits = units;
    const at = this.place(units);
    const window = this.#windows[at >>> WINDOW_SHIFT];
    const position = (at & POSITION_MASK) << 3;
    window.copyIn(position + header, key, keyFrom, keyTo);
    window.copyIn(position + header + keyBytes, value, valueFrom, valueTo);
    this.writeHeader(at, keyBytes, valueBytes, table, flags, expireAtMs);
    if (this.#space.flushes) this.persist(at, bytes);
    return at;
  }

  /** Makes `bytes` bytes from `at` durable. */
  persist(at: number, bytes: number): void {
    this.#space.region.persist(offsetOf(at), bytes);
  }

  /** Whether an entry of these lengths is chained. */
  isLong(keyBytes: number, valueBytes: number, expireAtMs: number): boolean {
    const header = expireAtMs === 0 ? RECORD_HEADER_BYTES : RECORD_EXPIRING_BYTES;
    return header + keyBytes + valueBytes > this.plainBytesMax;
  }

  /**
   * Sees to it that records of `units` units together can be placed without another allocation.
   * Throws `PMEM_EXHAUSTED`: what was set aside until then stays so.
   */
  reserve(units: number): void {
    const largest = (this.plainBytesMax + PIECE_OVERHEAD_BYTES) >>> 3;
    const rest = units - Math.max(0, this.openUnits - largest);
    if (rest <= 0) return;
    const chunks = Math.ceil(rest / (this.unitsPerChunk - largest));
    while (this.#ready.length < chunks) this.#ready.push(this.#space.alloc(this.chunkUnits * 8));
  }

  /** Gives all but one of the chunks that were set aside back: what they were for has happened. */
  trimReserve(): void {
    while (this.#ready.length > 1) {
      this.#space.region.free(offsetOf(this.#ready.pop()!), this.chunkUnits * 8);
    }
  }

  /** Gives chunks that were set aside back to the region. */
  releaseReserve(): void {
    for (const chunk of this.#ready) this.#space.region.free(offsetOf(chunk), this.chunkUnits * 8);
    this.#ready.length = 0;
  }

  /** Stores a record's header, its head word last. */
  writeHeader(
    at: number,
    headBits: number,
    valueBytes: number,
    table: number,
    flags: number,
    expireAtMs: number,
  ): void {
    const window = this.#windows[at >>> WINDOW_SHIFT];
    const word = (at & POSITION_MASK) << 1;
    window.store32(word + RECORD.valueBytes, valueBytes);
    window.store32(word + RECORD.table, table);
    let head = HEAD.present | headBits | (flags << HEAD.flagsShift);
    if (expireAtMs !== 0) {
      head |= HEAD.expires;
      const high = Math.floor(expireAtMs / 2 ** 32);
      window.store32(word + RECORD.expireLow, (expireAtMs - high * 2 ** 32) | 0);
      window.store32(word + RECORD.expireHigh, high);
    }
    window.store32(word, head);
  }

  /** Room for a record of `units` units: its address. Throws `PMEM_EXHAUSTED`. */
  place(units: number): number {
    while (this.#tail + units > this.#end) this.#roll(units);
    const at = this.#tail;
    this.#tail = at + units;
    return at;
  }

  /**
   * Says that no slot names the record any more; returns the units that its table has less.
   * `keepPieces` where another record took them over.
   */
  kill(at: number, keepPieces = false): number {
    const window = windowAt(this.#windows, at);
    const word = wordOf(at);
    const head = window.i32[word];
    if ((head & HEAD.dead) !== 0) return 0;
    let units = this.reader.units(at);
    this.#bury(at, head, units);
    if ((head & HEAD.chained) !== 0 && !keepPieces) {
      const pieces = this.reader.pieces(at);
      const first = this.reader.pieceWord(at, 0);
      for (let i = 0; i < pieces; i++) units += this.killPiece(window.i32[first + i]);
    }
    return units;
  }

  killPiece(at: number): number {
    if ((this.reader.head(at) & HEAD.dead) !== 0) return 0;
    const units = this.reader.units(at);
    this.#bury(at, this.reader.head(at), units);
    return units;
  }

  /** Units of a record with its pieces. */
  wholeUnits(at: number): number {
    const pieces = this.reader.pieces(at);
    let units = this.reader.units(at);
    const { i32 } = windowAt(this.#windows, at);
    for (let i = 0; i < pieces; i++) units += this.reader.units(i32[this.reader.pieceWord(at, i)]);
    return units;
  }

  /** The chunk that holds the record at `at`. */
  chunkOf(at: number): number {
    const unit = at >>> 0;
    const page = unit >>> this.#pageShift;
    const begins = this.#pages[page];
    return begins !== 0 && begins <= unit ? begins : this.#pages[page - 1];
  }

  /** Whether a chunk begins at `unit`. */
  isChunk(unit: number): boolean {
    return this.#pages[unit >>> this.#pageShift] === unit;
  }

  chunkWord(chunk: number, word: number): number {
    return windowAt(this.#windows, chunk).u32[wordOf(chunk) + word];
  }

  setChunkWord(chunk: number, word: number, value: number): void {
    windowAt(this.#windows, chunk).store32(wordOf(chunk) + word, value);
    if (this.#space.flushes) this.#space.region.flush(offsetOf(chunk) + word * 4, 4);
  }

  get openChunk(): number {
    return this.#open;
  }

  get chunks(): number {
    return this.#chunks;
  }

  /** Where the records of a chunk end, in units from its start. */
  filledEnd(chunk: number): number {
    if (chunk === this.#open) return this.#tail - chunk;
    return CHUNK_HEADER_UNITS + this.chunkWord(chunk, CHUNK.filledUnits);
  }

  get filledUnits(): number {
    return (
      this.#sealedUnits + (this.#open === 0 ? 0 : this.#tail - this.#open - CHUNK_HEADER_UNITS)
    );
  }

  get deadUnits(): number {
    return this.#deadUnits;
  }

  /** Units that fit the open chunk without a new one. */
  get openUnits(): number {
    return this.#end - this.#tail;
  }

  /** Units of records that fit a new chunk. */
  get unitsPerChunk(): number {
    return this.chunkUnits - CHUNK_HEADER_UNITS;
  }

  /** Whether `units` units fit the open chunk, or another one that can be had. */
  hasRoom(units: number): boolean {
    if (units <= this.openUnits || this.#ready.length > 0) return true;
    const chunk = this.#space.tryAlloc(this.chunkUnits * 8) || this.#spare;
    if (chunk === 0) return false;
    if (chunk === this.#spare) this.#spare = 0;
    this.#ready.push(chunk);
    return true;
  }

  /** Takes a chunk out of the list: its live records are all elsewhere. */
  unlink(chunk: number): void {
    const { region } = this.#space;
    const next = this.chunkWord(chunk, CHUNK.next);
    const previous = this.chunkWord(chunk, CHUNK.previous);
    const naming =
      previous === 0
        ? this.#space.offsetOfWord(SPACE.firstChunk)
        : offsetOf(previous) + CHUNK.next * 4;
    const words: [number, number][] = [];
    if (next !== 0) words.push([offsetOf(next) + CHUNK.previous * 4, previous]);
    region.publish(offsetOf(next), naming, { withdraws: offsetOf(chunk), words });
    this.#pages[chunk >>> this.#pageShift] = 0;
    this.#chunks--;
    this.#sealedUnits -= this.chunkWord(chunk, CHUNK.filledUnits);
    this.#deadUnits -= this.chunkWord(chunk, CHUNK.deadUnits);
    this.#space.retire(chunk, this.chunkUnits * 8);
  }

  /** Keeps an empty chunk back if the region has room for one. */
  ensureSpare(): void {
    if (this.#spare === 0) this.#spare = this.#space.tryAlloc(this.chunkUnits * 8);
  }

  /** Gives the chunk that is kept back to the region. */
  releaseSpare(): void {
    if (this.#spare === 0) return;
    this.#space.region.free(offsetOf(this.#spare), this.chunkUnits * 8);
    this.#spare = 0;
  }

  /** Writes down where the open chunk ends, so that a clean open need not look for it. */
  seal(): void {
    if (this.#open === 0) return;
    const first = this.#open + CHUNK_HEADER_UNITS;
    this.setChunkWord(this.#open, CHUNK.filledUnits, this.#tail - first);
    if (this.#space.flushes) this.#space.region.drain();
  }

  #bury(at: number, head: number, units: number): void {
    const window = windowAt(this.#windows, at);
    const word = wordOf(at);
    window.store32(word, head | HEAD.dead);
    if (this.#space.flushes) this.#space.region.flush(offsetOfWord(at, word), 4);
    const chunk = this.chunkOf(at);
    this.setChunkWord(chunk, CHUNK.deadUnits, this.chunkWord(chunk, CHUNK.deadUnits) + units);
    this.#deadUnits += units;
    this.retainedUnits += units;
  }

  /** Makes a new chunk the open one. */
  #roll(units: number): void {
    const space = this.#space;
    const chunk = this.#ready.pop() ?? space.alloc(this.chunkUnits * 8);
    if (units <= this.openUnits) {
      // Finding room for the chunk has emptied others, into a new open one.
      this.#ready.push(chunk);
      return;
    }
    this.seal();
    const first = space.word(SPACE.firstChunk);
    const window = windowAt(this.#windows, chunk);
    const header = wordOf(chunk);
    window.zero(
      header << 2,
      (header << 2) + (space.outlives ? this.chunkUnits * 8 : CHUNK_HEADER_BYTES),
    );
    window.store32(header + CHUNK.next, first);
    window.store32(header + CHUNK.units, this.chunkUnits);
    space.region.persist(offsetOf(chunk), this.chunkUnits * 8);
    const words: [number, number][] = [[space.offsetOfWord(SPACE.openChunk), chunk]];
    if (first !== 0) words.push([offsetOf(first) + CHUNK.previous * 4, chunk]);
    space.region.publish(offsetOf(chunk), space.offsetOfWord(SPACE.firstChunk), { words });
    if (this.#open !== 0) this.#sealedUnits += this.#tail - this.#open - CHUNK_HEADER_UNITS;
    this.#pages[chunk >>> this.#pageShift] = chunk;
    this.#chunks++;
    this.#open = chunk;
    this.#tail = chunk + CHUNK_HEADER_UNITS;
    this.#end = chunk + this.chunkUnits;
    if (this.#chunks >= SPARE_CHUNKS_MIN) this.ensureSpare();
    this.compactor.consider();
  }

  /** Finds the end of the open chunk by its records, and clears what an unfinished one left. */
  #findTail(): void {
    const { region } = this.#space;
    const window = windowAt(this.#windows, this.#open);
    while (this.#tail < this.#end && window.i32[wordOf(this.#tail)] !== 0) {
      this.#tail += this.reader.units(this.#tail);
    }
    const from = wordOf(this.#tail) << 2;
    const to = wordOf(this.#open) * 4 + this.chunkUnits * 8;
    window.zero(from, to);
    region.persist(offsetOf(this.#tail), to - from);
  }
}

/** Bytes of content in a piece, in chunks of `chunkBytes` bytes. */
export function pieceBytesOf(chunkBytes: number): number {
  const room = Math.floor((chunkBytes - CHUNK_HEADER_BYTES) / PIECES_PER_CHUNK_MIN) & ~7;
  return Math.min(PIECE_BYTES_MAX, room) - PIECE_OVERHEAD_BYTES;
}
