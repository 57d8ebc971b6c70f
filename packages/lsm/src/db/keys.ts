/**
 * The keys of a tree: its own keyring, wrapped by the master key that was given, or the caller's ring.
 *
 * Invariant: a ring of our own is durable before anything is encrypted with a key that was added to it.
 */
import { CryptoError, type Encryption, FormatError, Keyring } from '@nendb/codec';
import { joinPath, readFully, replaceFile, type Vfs } from '@nendb/vfs';
import { corrupt, LsmError } from '../errors.js';
import { KEYRING_BYTES_MAX } from '../limits.js';
import { KEYRING_FILE } from '../manifest/format.js';
import { bad } from '../options.js';
import type { Core } from './core.js';

/** The ring that is in `dir`; `undefined` where there is none. Throws `LSM_WRONG_KEY`, `LSM_CORRUPT`. */
export async function readKeyring(
  vfs: Vfs,
  dir: string,
  encryption: Encryption | undefined,
): Promise<Keyring | undefined> {
  if (encryption === undefined) return undefined;
  if ('keyring' in encryption) return encryption.keyring;
  const path = joinPath(dir, KEYRING_FILE);
  if ((await vfs.stat(path)) === undefined) return undefined;
  const file = await vfs.open(path, 'read');
  try {
    const size = await file.size();
    if (size > KEYRING_BYTES_MAX) {
      throw corrupt(
        path,
        0,
        `expected a keyring of at most ${KEYRING_BYTES_MAX} bytes, got ${size}`,
      );
    }
    const bytes = new Uint8Array(size);
    const read = await readFully(file, bytes, 0);
    return Keyring.decode(bytes.subarray(0, read), encryption.key);
  } catch (error) {
    if (error instanceof FormatError) throw corrupt(path, 0, error.message, error);
    if (!(error instanceof CryptoError)) throw error;
    throw new LsmError('LSM_WRONG_KEY', `${path}: ${error.message}`, { file: path, cause: error });
  } finally {
    await file.close();
  }
}

/** A ring for a new tree, in its file. */
export async function createKeyring(
  vfs: Vfs,
  dir: string,
  encryption: Encryption,
  databaseUuid: Uint8Array,
  createdAtMs: number,
): Promise<Keyring> {
  if ('keyring' in encryption) return encryption.keyring;
  const keyring = Keyring.create(encryption.key, vfs.random, { createdAtMs, databaseUuid });
  await writeKeyring(vfs, dir, keyring);
  return keyring;
}

/** Makes the ring's file say what it says. */
async function writeKeyring(vfs: Vfs, dir: string, keyring: Keyring): Promise<void> {
  await replaceFile(vfs, joinPath(dir, KEYRING_FILE), keyring.encode());
}

/** Takes a new data key for everything that is written from now on; a caller's ring has got one already. */
export async function addKey({ keys, options, vfs, clock }: Core): Promise<void> {
  if (keys === undefined || options.encryption === undefined) {
    throw bad('the tree', 'encrypted', 'one in the clear: open it with a key');
  }
  if ('keyring' in options.encryption) return;
  keys.add(vfs.random, clock.nowMs());
  await writeKeyring(vfs, options.dir, keys);
}
