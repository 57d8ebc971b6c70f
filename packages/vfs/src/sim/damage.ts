/**
 * What a bad medium does to a disk that nobody runs on: pure functions from image to image.
 *
 *     bit-flip      one bit of a file
 *     zeroed        a sector reads as zeros
 *     lost          the last write of a sector never happened: it holds what was durable before
 *     stale         a sector holds one of its older durable states
 *     misdirected   the last write of a sector went to another place, of this file or another
 *     rolled-back   a whole file is an earlier durable version of itself, by path
 *     deleted       a name is gone
 *     swapped       two names have changed places
 *
 * A `Damage` is plain data and says exactly what is done, so that the one of a failing run can be done
 * again. Earlier states are those since the boot of the machine that the image was taken of.
 *
 * Where a kernel lives on (an image of a kill) its cache is damaged as well: the pages were evicted
 * and read back.
 */
import type { FileContent } from './content.js';
import type { SimImage } from './image.js';
import { ImageEdit } from './image-edit.js';
import { SECTOR_BYTES, type Sector, ZERO_SECTOR } from './sector.js';

/** Sectors are counted from 0 within the file; `bit` is 0 to 7. */
export type Damage =
  | {
      readonly kind: 'bit-flip';
      readonly path: string;
      readonly byte: number;
      readonly bit: number;
    }
  | { readonly kind: 'zeroed' | 'lost'; readonly path: string; readonly sector: number }
  /** `age` counts the durable states of the file that differ from the present one, from 0, the newest. */
  | {
      readonly kind: 'stale';
      readonly path: string;
      readonly sector: number;
      readonly age: number;
    }
  | {
      readonly kind: 'misdirected';
      readonly path: string;
      readonly sector: number;
      readonly toPath: string;
      readonly toSector: number;
    }
  | { readonly kind: 'rolled-back'; readonly path: string; readonly age: number }
  | { readonly kind: 'deleted'; readonly path: string }
  | { readonly kind: 'swapped'; readonly path: string; readonly withPath: string };

/**
 * `image` with `damage` done to it. Where it shows, it counts as `damage:<kind>` with the machine that
 * the image is of. Throws `ENOENT` for a path that is not there, `EISDIR` for one that is no file, and
 * `RangeError` for a place or an age that the file does not have.
 */
export function damaged(image: SimImage, damage: Damage): SimImage {
  const edit = new ImageEdit(image);
  apply(edit, damage);
  const result = edit.image(`${image.label}; ${JSON.stringify(damage)}`);
  if (result.hash() !== image.hash()) image.origin.coverage.count(`damage:${damage.kind}`);
  return result;
}

function apply(edit: ImageEdit, damage: Damage): void {
  const { path } = damage;
  switch (damage.kind) {
    case 'bit-flip':
      flipBit(edit, path, damage.byte, damage.bit);
      break;
    case 'zeroed':
      putSector(edit, path, damage.sector, undefined);
      break;
    case 'lost':
      putSector(edit, path, damage.sector, sectorBefore(edit, path, damage.sector));
      break;
    case 'stale':
      putSector(edit, path, damage.sector, version(edit, path, damage.age).sector(damage.sector));
      break;
    case 'misdirected': {
      const written = edit.file(path).cache.sector(damage.sector);
      putSector(edit, path, damage.sector, sectorBefore(edit, path, damage.sector));
      putSector(edit, damage.toPath, damage.toSector, written);
      break;
    }
    case 'rolled-back': {
      const earlier = version(edit, path, damage.age);
      edit.change(path, () => earlier);
      break;
    }
    case 'deleted':
      edit.rename([[path, undefined]]);
      break;
    case 'swapped':
      edit.rename([
        [path, edit.inode(damage.withPath)],
        [damage.withPath, edit.inode(path)],
      ]);
  }
}

function flipBit(edit: ImageEdit, path: string, byte: number, bit: number): void {
  refuseOutside(edit, path, byte);
  if (!Number.isSafeInteger(bit) || bit < 0 || bit > 7) {
    throw new RangeError(`expected a bit from 0 to 7, got ${bit}`);
  }
  edit.change(path, (content) => {
    const held = new Uint8Array(1);
    if (content.read(held, byte) === 0) return content;
    held[0] ^= 1 << bit;
    return content.write(held, byte);
  });
}

function putSector(edit: ImageEdit, path: string, index: number, sector: Sector | undefined): void {
  refuseOutside(edit, path, index * SECTOR_BYTES);
  edit.change(path, (content) =>
    index * SECTOR_BYTES < content.size
      ? content.patch([[index, sector ?? ZERO_SECTOR]], content.size)
      : content,
  );
}

/** What a sector held before its last write; nothing where no earlier state is known. */
function sectorBefore(edit: ImageEdit, path: string, index: number): Sector | undefined {
  refuseOutside(edit, path, index * SECTOR_BYTES);
  const now = edit.file(path).cache.sector(index);
  for (const earlier of edit.earlierVersions(path)) {
    const sector = earlier.sector(index);
    if (sector !== now) return sector;
  }
  return undefined;
}

function version(edit: ImageEdit, path: string, age: number): FileContent {
  const versions = edit.earlierVersions(path);
  const found = versions[age];
  if (found !== undefined) return found;
  throw new RangeError(`expected an age below ${versions.length} for ${path}, got ${age}`);
}

function refuseOutside(edit: ImageEdit, path: string, byte: number): void {
  const { size } = edit.file(path).cache;
  if (Number.isSafeInteger(byte) && byte >= 0 && byte < size) return;
  throw new RangeError(`expected a place within the ${size} bytes of ${path}, got byte ${byte}`);
}
