/**
 * The bytes of a file at one moment: a persistent (immutable, structure-sharing) array of sectors.
 *
 *     chunks:  [ chunk | hole | chunk ]          64 sectors (32 KiB) each
 *     chunk:   [ sector | hole | sector ... ]    512 bytes each
 *
 * Invariants
 *  1. Nothing is changed in place: a write copies the sectors and chunks it touches and the list of
 *     chunks; everything else is shared.
 *  2. No sector lies wholly beyond `size`, and bytes beyond `size` in the last one are zero.
 *  3. Equal references mean equal bytes, so that two moments are compared in the size of what
 *     changed.
 *  4. `stamp` grows with every change: of two contents of one file the later has the greater.
 */
import { SECTOR_BYTES, type Sector, sectorOf, ZERO_SECTOR } from './sector.js';

const CHUNK_SECTORS = 64;

const CHUNK_BYTES = CHUNK_SECTORS * SECTOR_BYTES;

type Chunk = readonly (Sector | undefined)[];
type Chunks = readonly (Chunk | undefined)[];

/** Written zeros, as logs reserve blocks with: one chunk for all of them. */
const ZERO_CHUNK: Chunk = new Array(CHUNK_SECTORS).fill(ZERO_SECTOR);
const ZEROS = Buffer.alloc(CHUNK_BYTES);

let stamps = 0;

export class FileContent {
  static readonly EMPTY = new FileContent(0, []);
  readonly stamp = stamps++;

  private constructor(
    /** In bytes. */
    readonly size: number,
    readonly chunks: Chunks,
  ) {}

  /** Copies bytes from `position` into `target`; returns how many there were. */
  read(target: Uint8Array, position: number): number {
    const end = Math.min(this.size, position + target.length);
    let at = position;
    while (at < end) {
      const index = Math.floor(at / SECTOR_BYTES);
      const from = at - index * SECTOR_BYTES;
      const to = Math.min(SECTOR_BYTES, from + end - at);
      const sector = this.sector(index);
      const into = at - position;
      if (sector === undefined) target.fill(0, into, into + to - from);
      else if (to - from === SECTOR_BYTES) target.set(sector.bytes, into);
      else target.set(sector.bytes.subarray(from, to), into);
      at += to - from;
    }
    return Math.max(0, end - position);
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.size);
    this.read(all, 0);
    return all;
  }

  /** This content with `source` written at `position`. */
  write(source: Uint8Array, position: number): FileContent {
    const end = position + source.length;
    const edit = new ChunkEdit(this.chunks);
    let at = position;
    while (at < end) {
      const index = Math.floor(at / SECTOR_BYTES);
      if (at % CHUNK_BYTES === 0 && isZeroChunk(source, at - position)) {
        edit.setChunk(at / CHUNK_BYTES, ZERO_CHUNK);
        at += CHUNK_BYTES;
        continue;
      }
      const from = at - index * SECTOR_BYTES;
      const to = Math.min(SECTOR_BYTES, from + end - at);
      const bytes = new Uint8Array(SECTOR_BYTES);
      const old = to - from < SECTOR_BYTES ? this.sector(index) : undefined;
      if (old !== undefined) bytes.set(old.bytes);
      bytes.set(source.subarray(at - position, at - position + to - from), from);
      edit.set(index, sectorOf(bytes));
      at += to - from;
    }
    return new FileContent(source.length === 0 ? this.size : Math.max(this.size, end), edit.chunks);
  }

  /** This content cut or extended (by a hole) to `size` bytes. */
  resize(size: number): FileContent {
    if (size >= this.size) return new FileContent(size, this.chunks);
    return new FileContent(size, cut(this.chunks, size));
  }

  /** This content with some sectors replaced, then cut or extended to `size`. */
  patch(sectors: Iterable<readonly [number, Sector | undefined]>, size: number): FileContent {
    const edit = new ChunkEdit(this.chunks);
    for (const [index, sector] of sectors) edit.set(index, sector);
    return new FileContent(size, cut(edit.chunks, size));
  }

  sector(index: number): Sector | undefined {
    return this.chunks[Math.floor(index / CHUNK_SECTORS)]?.[index % CHUNK_SECTORS];
  }

  /** Indexes of the sectors that are not the same in `this` and `other`, ascending. */
  differences(other: FileContent): number[] {
    const found: number[] = [];
    if (this.chunks === other.chunks) return found;
    const count = Math.max(this.chunks.length, other.chunks.length);
    for (let c = 0; c < count; c++) {
      const mine = this.chunks[c];
      const theirs = other.chunks[c];
      if (mine === theirs) continue;
      for (let i = 0; i < CHUNK_SECTORS; i++) {
        if (mine?.[i] !== theirs?.[i]) found.push(c * CHUNK_SECTORS + i);
      }
    }
    return found;
  }

  /** How many sectors take up space on the disk; holes do not. */
  allocatedSectors(): number {
    let count = 0;
    for (const chunk of this.chunks) {
      if (chunk !== undefined) for (const sector of chunk) if (sector !== undefined) count++;
    }
    return count;
  }

  /** Feeds the content to a hash: every sector that is not zero, with its index. */
  digest(mix: (low: number, high: number) => void, zero: Sector): void {
    mix(this.size, this.size / 0x1_0000_0000);
    for (let c = 0; c < this.chunks.length; c++) {
      const chunk = this.chunks[c];
      if (chunk === undefined) continue;
      for (let i = 0; i < CHUNK_SECTORS; i++) {
        const sector = chunk[i];
        if (sector === undefined || sector === zero) continue;
        mix(c * CHUNK_SECTORS + i, 1);
        sector.digest(mix);
      }
    }
  }
}

/** Copies each chunk once, when it is first changed. */
class ChunkEdit {
  readonly chunks: (Chunk | undefined)[];
  #open: (Sector | undefined)[] = [];
  #openAt = -1;

  constructor(chunks: Chunks) {
    this.chunks = chunks.slice();
  }

  setChunk(at: number, chunk: Chunk): void {
    while (this.chunks.length <= at) this.chunks.push(undefined);
    this.chunks[at] = chunk;
    if (at === this.#openAt) this.#openAt = -1;
  }

  set(index: number, sector: Sector | undefined): void {
    const at = Math.floor(index / CHUNK_SECTORS);
    if (at !== this.#openAt) {
      while (this.chunks.length <= at) this.chunks.push(undefined);
      this.#open = this.chunks[at]?.slice() ?? new Array(CHUNK_SECTORS).fill(undefined);
      this.chunks[at] = this.#open;
      this.#openAt = at;
    }
    this.#open[index % CHUNK_SECTORS] = sector;
  }
}

function isZeroChunk(source: Uint8Array, from: number): boolean {
  const to = from + CHUNK_BYTES;
  return to <= source.length && ZEROS.compare(source, from, to) === 0;
}

/** `chunks` without anything beyond `size` bytes (invariant 2). */
function cut(chunks: Chunks, size: number): Chunks {
  const sectors = Math.ceil(size / SECTOR_BYTES);
  const edit = new ChunkEdit(chunks.slice(0, Math.ceil(sectors / CHUNK_SECTORS)));
  const last = edit.chunks.length - 1;
  for (let index = sectors; index < (last + 1) * CHUNK_SECTORS; index++) {
    if (edit.chunks[last]?.[index % CHUNK_SECTORS] !== undefined) edit.set(index, undefined);
  }
  const within = size % SECTOR_BYTES;
  const end = sectors - 1;
  const partial =
    within === 0 ? undefined : edit.chunks[Math.floor(end / CHUNK_SECTORS)]?.[end % CHUNK_SECTORS];
  if (partial?.bytes.subarray(within).some((byte) => byte !== 0)) {
    const bytes = partial.bytes.slice();
    bytes.fill(0, within);
    edit.set(end, sectorOf(bytes));
  }
  return edit.chunks;
}
