/**
 * The last bytes of a table: where everything that is no data block is.
 *
 *     0      8        20           32     44           56     60       64     72     80    96    100
 *     +------+--------+------------+------+------------+------+--------+------+------+-----+-----+
 *     | text | filter | tombstones | root | properties | data | index  | file | zero | tag | crc |
 *     | 8    | 12     | 12         | 12   | 12         |blocks| levels | bytes| u64  | 16  | u32 |
 *     +------+--------+------------+------+------------+------+--------+------+------+-----+-----+
 *
 * A place is offset u64 and bytes u32; both 0 where there is no such block. `crc` begins with the file's
 * seed and the footer's offset and covers bytes 0 to 95. `tag` authenticates bytes 0 to 79, sealed as the
 * block at the footer's offset; zeros in the clear.
 */
import { CryptoError, TAG_BYTES } from '@nendb/codec';
import { corrupt } from '../errors.js';
import { crcAt, type FileHead, HEAD_BYTES, wrongKey } from '../file-head.js';
import { getU64, putU64, viewOf } from '../u64.js';
import * as format from './format.js';

export interface TableFooter {
  filter: format.BlockHandle;
  tombstones: format.BlockHandle;
  root: format.BlockHandle;
  properties: format.BlockHandle;
  dataBlocks: number;
  /** 1: the root names data blocks. 2: it names partitions, which do. */
  indexLevels: number;
}

const PLACES = [
  ['filter', format.FOOTER_FILTER_AT],
  ['tombstones', format.FOOTER_TOMBSTONES_AT],
  ['root', format.FOOTER_ROOT_AT],
  ['properties', format.FOOTER_PROPERTIES_AT],
] as const;
const NOTHING = new Uint8Array(0);

export function encodeFooter(head: FileHead, offset: number, footer: TableFooter): Uint8Array {
  const bytes = new Uint8Array(format.FOOTER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from(format.FOOTER_TEXT, 'latin1'));
  for (const [name, at] of PLACES) {
    const place = footer[name];
    putU64(view, at, place.offset);
    view.setUint32(at + 8, place.bytes, true);
  }
  view.setUint32(format.FOOTER_DATA_BLOCKS_AT, footer.dataBlocks, true);
  view.setUint32(format.FOOTER_INDEX_LEVELS_AT, footer.indexLevels, true);
  putU64(view, format.FOOTER_FILE_BYTES_AT, offset + format.FOOTER_BYTES);
  const clear = bytes.subarray(0, format.FOOTER_TAG_AT);
  const tag = head.cipher?.seal(offset, format.BlockType.footer, NOTHING, clear);
  if (tag !== undefined) bytes.set(tag, format.FOOTER_TAG_AT);
  const covered = bytes.subarray(0, format.FOOTER_CRC_AT);
  view.setUint32(format.FOOTER_CRC_AT, crcAt(head.seed, offset, covered), true);
  return bytes;
}

/**
 * The footer in `bytes`, the last ones of a file of `fileBytes`. Throws `LSM_CORRUPT`, `LSM_WRONG_KEY`.
 */
export function decodeFooter(
  path: string,
  head: FileHead,
  fileBytes: number,
  bytes: Uint8Array,
): TableFooter {
  const offset = fileBytes - format.FOOTER_BYTES;
  const view = viewOf(bytes);
  const covered = bytes.subarray(0, format.FOOTER_CRC_AT);
  if (view.getUint32(format.FOOTER_CRC_AT, true) !== crcAt(head.seed, offset, covered)) {
    throw corrupt(path, offset, 'the footer does not match its checksum');
  }
  if (Buffer.from(bytes.subarray(0, 8)).toString('latin1') !== format.FOOTER_TEXT) {
    throw corrupt(path, offset, `expected the footer to begin with ${format.FOOTER_TEXT}`);
  }
  if (getU64(view, format.FOOTER_FILE_BYTES_AT) !== fileBytes) {
    throw corrupt(path, offset, `expected a file of another length than ${fileBytes}`);
  }
  checkTag(path, head, offset, bytes);
  const footer: TableFooter = {
    filter: NOWHERE,
    tombstones: NOWHERE,
    root: NOWHERE,
    properties: NOWHERE,
    dataBlocks: view.getUint32(format.FOOTER_DATA_BLOCKS_AT, true),
    indexLevels: view.getUint32(format.FOOTER_INDEX_LEVELS_AT, true),
  };
  for (const [name, at] of PLACES) {
    const place = { offset: getU64(view, at), bytes: view.getUint32(at + 8, true) };
    if (place.bytes > 0 && (place.offset < HEAD_BYTES || place.offset + place.bytes > offset)) {
      throw corrupt(path, offset, `the ${name} would be at ${place.offset}, outside of the blocks`);
    }
    footer[name] = place;
  }
  if (footer.properties.bytes === 0 || footer.root.bytes > 0 !== footer.dataBlocks > 0) {
    throw corrupt(path, offset, 'the footer names too few blocks');
  }
  if (footer.indexLevels !== 1 && footer.indexLevels !== 2) {
    throw corrupt(path, offset, `expected an index of 1 or 2 levels, got ${footer.indexLevels}`);
  }
  return footer;
}

const NOWHERE: format.BlockHandle = { offset: 0, bytes: 0 };

function checkTag(path: string, head: FileHead, offset: number, bytes: Uint8Array): void {
  const tag = bytes.subarray(format.FOOTER_TAG_AT, format.FOOTER_TAG_AT + TAG_BYTES);
  const clear = bytes.subarray(0, format.FOOTER_TAG_AT);
  try {
    head.cipher?.open(offset, format.BlockType.footer, tag, clear);
  } catch (error) {
    if (!(error instanceof CryptoError) || error.code !== 'CRYPTO_BAD_TAG') throw error;
    throw wrongKey(path, `the footer is sealed otherwise: ${error.message}`, offset, error);
  }
}
