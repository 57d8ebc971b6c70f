/**
 * Compressors, each with its number on disk. Bytes are stored compressed only where that pays, so
 * whoever stores them keeps the number beside them: that of `none` for bytes stored as they are.
 *
 *     id   compression
 *     0    none          the bytes themselves
 *     1    deflate       one raw deflate stream (RFC 1951), no header and no checksum of its own
 *
 * Invariants
 *  1. `compress` returns something shorter by at least an eighth, or nothing: bytes that do not
 *     shrink are never kept under a compressed number.
 *  2. `decompress` gives out at most `bytesMax` bytes, whatever the input claims, and accepts no
 *     input that ends early or goes on behind the end of its stream.
 *
 * Synchronous: it runs on the thread that asks, and leaves the process's thread pool to the syncs of
 * the log.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { FormatError } from './errors.js';
import { COMPRESS_BYTES_MIN, COMPRESS_SAVES_ONE_IN } from './limits.js';

/** How bytes may be compressed. */
export type Compression = 'none' | 'deflate';

interface Compressor {
  /** The number on disk. Never reused. */
  id: number;
  compress(bytes: Uint8Array): Uint8Array;
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array;
}

/**
 * Speed over size: on blocks of records level 1 is three times as fast as level 6 for a twentieth
 * more bytes (`bench/block.bench.mjs`).
 */
const DEFLATE_LEVEL = 1;
/** The smallest output buffer that zlib takes, in bytes. */
const ZLIB_CHUNK_BYTES_MIN = 64;

const COMPRESSORS: Record<Compression, Compressor> = {
  none: {
    id: 0,
    compress: (bytes) => bytes,
    decompress(bytes, bytesMax) {
      if (bytes.length <= bytesMax) return bytes;
      throw tooLong(bytesMax);
    },
  },
  deflate: {
    id: 1,
    compress(bytes) {
      const chunkSize = Math.max(ZLIB_CHUNK_BYTES_MIN, bytes.length);
      return deflateRawSync(bytes, { level: DEFLATE_LEVEL, chunkSize });
    },
    decompress: inflate,
  },
};

/** The names of all compressors. */
export const COMPRESSIONS = Object.keys(COMPRESSORS) as readonly Compression[];

/** The number of `compression` on disk. Throws `RangeError` for a name that is none. */
export function compressionId(compression: Compression): number {
  return compressorOf(compression).id;
}

/**
 * The compressor with number `id`. Throws `FormatError` `FORMAT_TOO_NEW` for a number that this
 * release does not know.
 */
export function compressionOf(id: number): Compression {
  for (const name of COMPRESSIONS) if (COMPRESSORS[name].id === id) return name;
  throw new FormatError(
    'FORMAT_TOO_NEW',
    `expected a compression of ${COMPRESSIONS.map((name) => `${COMPRESSORS[name].id} (${name})`).join(', ')}, got ${id}: use a newer release`,
  );
}

/**
 * `bytes` compressed, or `undefined` where that does not pay: it would save less than an eighth, or
 * there are fewer than `COMPRESS_BYTES_MIN`. Store them under `compressionId('none')` then.
 *
 * Throws `RangeError` for a name that is none.
 */
export function compress(bytes: Uint8Array, compression: Compression): Uint8Array | undefined {
  const compressor = compressorOf(compression);
  if (compression === 'none' || bytes.length < COMPRESS_BYTES_MIN) return undefined;
  const compressed = compressor.compress(bytes);
  const saved = bytes.length - compressed.length;
  return saved * COMPRESS_SAVES_ONE_IN >= bytes.length ? plain(compressed) : undefined;
}

/**
 * The bytes that were stored under number `id`: a new buffer, or `bytes` itself for `none`. They are
 * at most `bytesMax`, which is from 1.
 *
 * Throws `FormatError`: `FORMAT_TOO_NEW` for an unknown number, `FORMAT_TRUNCATED` where the stream
 * ends early, `FORMAT_BAD_VALUE` where it is damaged, too long, or followed by more bytes. A stream
 * has no checksum: check one of your own over `bytes` first.
 */
export function decompress(bytes: Uint8Array, id: number, bytesMax: number): Uint8Array {
  if (!(Number.isSafeInteger(bytesMax) && bytesMax >= 1)) {
    throw new RangeError(`expected bytesMax as an integer from 1, got ${bytesMax}`);
  }
  return COMPRESSORS[compressionOf(id)].decompress(bytes, bytesMax);
}

function compressorOf(compression: Compression): Compressor {
  if (Object.hasOwn(COMPRESSORS, compression)) return COMPRESSORS[compression];
  throw new RangeError(
    `expected a compression of ${COMPRESSIONS.join(', ')}, got ${JSON.stringify(compression)}`,
  );
}

/** What zlib returns under `info: true`; its types do not tell. */
interface Inflated {
  buffer: Buffer;
  /** `bytesWritten`: how much of the input the stream took. */
  engine: { bytesWritten: number };
}

function inflate(bytes: Uint8Array, bytesMax: number): Uint8Array {
  // One buffer suffices for what shrank to a quarter; it never depends on what the stream claims.
  const chunkSize = Math.max(ZLIB_CHUNK_BYTES_MIN, Math.min(bytesMax, bytes.length * 4));
  let inflated: Inflated;
  try {
    const result: unknown = inflateRawSync(bytes, {
      chunkSize,
      maxOutputLength: bytesMax,
      info: true,
    });
    inflated = result as Inflated;
  } catch (error) {
    throw refusal(error, bytes, bytesMax);
  }
  const taken = inflated.engine.bytesWritten;
  if (taken === bytes.length) return plain(inflated.buffer);
  throw new FormatError(
    'FORMAT_BAD_VALUE',
    `expected a deflate stream of ${bytes.length} bytes, got one that ends after ${taken}`,
  );
}

function refusal(error: unknown, bytes: Uint8Array, bytesMax: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_BUFFER_TOO_LARGE') return tooLong(bytesMax);
  if (code === 'Z_BUF_ERROR') {
    return new FormatError(
      'FORMAT_TRUNCATED',
      `expected a whole deflate stream, got ${bytes.length} bytes that end inside it`,
    );
  }
  if (code !== 'Z_DATA_ERROR') return error;
  return new FormatError(
    'FORMAT_BAD_VALUE',
    `expected a deflate stream, got ${bytes.length} bytes that are none: ${(error as Error).message}`,
  );
}

function tooLong(bytesMax: number): FormatError {
  return new FormatError(
    'FORMAT_BAD_VALUE',
    `expected at most ${bytesMax} bytes when decompressed, got more: the stream is not a writer's`,
  );
}

/** A view that is a `Uint8Array` and no `Buffer`, whose methods differ. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
