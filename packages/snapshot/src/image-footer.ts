/** The last bytes of an image: how much there is, and the chain over all of it. */
import { crc32, FormatError, TAG_BYTES } from '@nendb/codec';
import { checkCrc, checkZero, readU64, whole } from './fields.js';
import {
  BLOCKS_AT,
  blockOverheadBytes,
  blockPayloadBytesMax,
  CHAIN_AT,
  FILE_BYTES_AT,
  FOOTER_TAG_AT,
  FOOTER_TEXT,
  FOOTER_TEXT_BYTES,
  FOOTER_ZERO_AT,
  footerBytes,
  headBytes,
  type ImageFeatures,
  PAYLOAD_BYTES_AT,
} from './format.js';
import type { ImageCipher } from './image-cipher.js';

export interface ImageFooter {
  /** Bytes of the image, before they were compressed and sealed. */
  payloadBytes: number;
  fileBytes: number;
  blocks: number;
  chain: number;
}

/** An image's last bytes. */
export function encodeFooter(footer: ImageFooter, seed: number, cipher?: ImageCipher): Buffer {
  const bytes = Buffer.alloc(footerBytes(cipher !== undefined));
  bytes.write(FOOTER_TEXT, 0, 'latin1');
  bytes.writeBigUInt64LE(BigInt(footer.payloadBytes), PAYLOAD_BYTES_AT);
  bytes.writeBigUInt64LE(BigInt(footer.fileBytes), FILE_BYTES_AT);
  bytes.writeUInt32LE(footer.blocks, BLOCKS_AT);
  bytes.writeUInt32LE(footer.chain, CHAIN_AT);
  if (cipher !== undefined) {
    bytes.set(cipher.sealFooter(footer.blocks, bytes.subarray(0, FOOTER_TAG_AT)), FOOTER_TAG_AT);
  }
  const crcAt = bytes.length - 4;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, crcAt), seed), crcAt);
  return bytes;
}

/**
 * Reads the footer of a file of `fileBytes`. Throws `FormatError`, and `CryptoError` `CRYPTO_BAD_TAG`
 * where `cipher` does not fit; without one the tag is not looked at.
 */
export function decodeFooter(
  source: Uint8Array,
  fileBytes: number,
  seed: number,
  features: ImageFeatures,
  cipher?: ImageCipher,
): ImageFooter {
  const length = footerBytes(features.encrypted);
  const bytes = whole(source, length, 'a footer');
  const text = bytes.toString('latin1', 0, FOOTER_TEXT_BYTES);
  if (text !== FOOTER_TEXT) {
    throw new FormatError(
      'FORMAT_BAD_MAGIC',
      `expected the footer's ${JSON.stringify(FOOTER_TEXT)}, got ${JSON.stringify(text)}`,
    );
  }
  checkCrc(bytes, length - 4, seed, 'footer');
  checkZero(bytes, FOOTER_ZERO_AT, 'footer');
  const footer: ImageFooter = {
    payloadBytes: readU64(bytes, PAYLOAD_BYTES_AT, 'payload length'),
    fileBytes: readU64(bytes, FILE_BYTES_AT, 'file length'),
    blocks: bytes.readUInt32LE(BLOCKS_AT),
    chain: bytes.readUInt32LE(CHAIN_AT),
  };
  if (!agrees(footer, fileBytes, features)) {
    throw new FormatError(
      'FORMAT_BAD_VALUE',
      `expected a file of ${footer.fileBytes} bytes with ${footer.payloadBytes} of payload in ${footer.blocks} blocks, got ${fileBytes} bytes`,
    );
  }
  if (cipher !== undefined) {
    const tag = bytes.subarray(FOOTER_TAG_AT, FOOTER_TAG_AT + TAG_BYTES);
    cipher.openFooter(footer.blocks, bytes.subarray(0, FOOTER_TAG_AT), tag);
  }
  return footer;
}

/** Whether a writer could have written so much payload into a file of this size. */
function agrees(footer: ImageFooter, fileBytes: number, features: ImageFeatures): boolean {
  const { payloadBytes, blocks } = footer;
  const { compressed, encrypted } = features;
  const overhead =
    headBytes(encrypted) + blocks * blockOverheadBytes(encrypted) + footerBytes(encrypted);
  const storedBytes = fileBytes - overhead;
  if (footer.fileBytes !== fileBytes) return false;
  if (!compressed) return payloadBytes === storedBytes;
  // Compression only ever makes blocks shorter, and leaves at least a byte of each.
  const most = blocks * blockPayloadBytesMax(encrypted);
  return storedBytes >= blocks && payloadBytes >= storedBytes && payloadBytes <= most;
}
