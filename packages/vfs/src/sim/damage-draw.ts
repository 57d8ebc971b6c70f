/** Dice for `damage.ts`: which damage can be done to an image, and one of it after the other. */
import { DAMAGE_KINDS, type DamageKind } from './coverage-kinds.js';
import { type Damage, damaged } from './damage.js';
import type { SimImage } from './image.js';
import { ImageEdit } from './image-edit.js';
import { Prng } from './prng.js';
import { SECTOR_BYTES } from './sector.js';

export interface DamageOptions {
  /** Any integer. Default 1. */
  seed?: number;
  /** Which kinds. Default all. */
  kinds?: readonly DamageKind[];
  /** How many throws of dice for each kind. Default 4. */
  samples?: number;
  /** Only files whose path contains this. */
  path?: string;
}

const SAMPLES = 4;

/** So many throws look for a place where the damage shows: a sector of zeros cannot be zeroed. */
const THROWS_MAX = 24;

/**
 * Images with one damage each: no two of a kind alike, and none like `image`. A kind that can do nothing to this
 * disk (no file has an earlier version, there are no two files) is left out.
 */
export function* damagedImages(
  image: SimImage,
  options: DamageOptions = {},
): Generator<{ damage: Damage; image: SimImage }> {
  const { seed = 1, kinds = DAMAGE_KINDS, samples = SAMPLES, path = '' } = options;
  const files = [...image.files()]
    .filter(([name, bytes]) => name.includes(path) && bytes.length > 0)
    .map(([name, bytes]) => ({ path: name, bytes: bytes.length }));
  if (files.length === 0) return;
  for (const kind of kinds) {
    const seen = new Set([image.hash()]);
    const dice = new Prng(seed, DAMAGE_KINDS.indexOf(kind));
    let left = samples;
    for (let i = 0; i < THROWS_MAX * samples && left > 0; i++) {
      const damage = draw(image, kind, files, dice);
      if (damage === undefined) continue;
      const result = damaged(image, damage);
      if (seen.has(result.hash())) continue;
      seen.add(result.hash());
      left--;
      yield { damage, image: result };
    }
  }
}

interface Extent {
  readonly path: string;
  readonly bytes: number;
}

/** `undefined` where this throw hit nothing that the kind can be done to. */
function draw(
  image: SimImage,
  kind: DamageKind,
  files: readonly Extent[],
  dice: Prng,
): Damage | undefined {
  const file = files[dice.below(files.length)];
  const other = files[dice.below(files.length)];
  const { path } = file;
  switch (kind) {
    case 'bit-flip':
      return { kind, path, byte: dice.below(file.bytes), bit: dice.below(8) };
    case 'zeroed':
    case 'lost':
      return { kind, path, sector: sectorIn(file, dice) };
    case 'stale':
    case 'rolled-back': {
      const versions = new ImageEdit(image).earlierVersions(path).length;
      if (versions === 0) return undefined;
      const age = dice.below(versions);
      return kind === 'stale'
        ? { kind, path, sector: sectorIn(file, dice), age }
        : { kind, path, age };
    }
    case 'misdirected': {
      const [sector, toSector] = [sectorIn(file, dice), sectorIn(other, dice)];
      if (path === other.path && sector === toSector) return undefined;
      return { kind, path, sector, toPath: other.path, toSector };
    }
    case 'deleted':
      return { kind, path };
    case 'swapped':
      return path === other.path ? undefined : { kind, path, withPath: other.path };
  }
}

function sectorIn(file: Extent, dice: Prng): number {
  return dice.below(Math.ceil(file.bytes / SECTOR_BYTES));
}
