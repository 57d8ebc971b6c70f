/**
 * Setting and removing entries. Hot.
 *
 *     set      find ─▶ there: append, replace the slot's address, bury the old record
 *                   ─▶ new:   room (or growth), append, fill the slot
 *     remove   find ─▶ clear the slot, bury the record
 *
 * Invariants
 *  1. What can be refused is refused before a slot changes: growth first, then the record, then the
 *     slot, which cannot fail.
 *  2. Appending may move other records, this entry's old one too: its address is read again after it.
 */
import { TABLE } from '../format.js';
import { appendPatched, type Patch } from '../log/patch.js';
import { copyWithPieces } from '../log/pieces.js';
import type { TableCore } from './core.js';
import { grow } from './grow.js';
import { clearSlot, fillSlot, makeRoom, replaceSlot } from './slots.js';

/** Sets an entry; whether it is new. Lengths were checked. Throws `PMEM_EXHAUSTED`: nothing changed. */
export function setEntry(
  core: TableCore,
  key: Uint8Array,
  keyFrom: number,
  keyTo: number,
  value: Uint8Array,
  valueFrom: number,
  valueTo: number,
  flags: number,
  expireAtMs: number,
): boolean {
  const found = core.find(key, keyFrom, keyTo) !== 0;
  setFound(core, found, key, keyFrom, keyTo, value, valueFrom, valueTo, flags, expireAtMs);
  return !found;
}

/** The same for the key that `core` has just looked for, and `found` or not. */
export function setFound(
  core: TableCore,
  found: boolean,
  key: Uint8Array,
  keyFrom: number,
  keyTo: number,
  value: Uint8Array,
  valueFrom: number,
  valueTo: number,
  flags: number,
  expireAtMs: number,
): void {
  const { space } = core;
  const { log } = space;
  if (!found) while (!makeRoom(core)) grow(core);
  const record = log.append(
    core.unit,
    core.hash,
    key,
    keyFrom,
    keyTo,
    value,
    valueFrom,
    valueTo,
    flags,
    expireAtMs,
  );
  const units = log.appendedUnits;
  if (found) {
    const old = core.record;
    replaceSlot(core, record);
    addLive(core, units - log.kill(old));
  } else {
    fillSlot(core, record);
    addLive(core, units);
    core.setHeaderWord(TABLE.count, core.headerWord(TABLE.count) + 1);
  }
  space.afterWrite(units);
}

/** Removes an entry; whether there was one. Needs no space. */
export function removeEntry(core: TableCore, key: Uint8Array, from: number, to: number): boolean {
  const record = core.find(key, from, to);
  if (record === 0) return false;
  const { space } = core;
  clearSlot(core);
  addLive(core, -space.log.kill(record));
  core.setHeaderWord(TABLE.count, core.headerWord(TABLE.count) - 1);
  space.afterWrite(0);
  return true;
}

/**
 * Gives an entry other flags and another time by a record that takes its pieces over, if it is long;
 * `false` where there is none. Throws `PMEM_EXHAUSTED`: nothing changed.
 */
export function remarkEntry(
  core: TableCore,
  key: Uint8Array,
  from: number,
  to: number,
  flags: number,
  expireAtMs: number,
): boolean {
  if (core.find(key, from, to) === 0) return false;
  const { space } = core;
  const record = copyWithPieces(space.log, core, flags, expireAtMs);
  const units = space.log.appendedUnits;
  const old = core.record;
  replaceSlot(core, record);
  addLive(core, units - space.log.kill(old, true));
  space.afterWrite(units);
  return true;
}

/**
 * Writes bytes into a value, zeros filling a gap; a missing entry is an empty value first. Throws
 * `PMEM_EXHAUSTED`: nothing changed.
 */
export function patchEntry(
  core: TableCore,
  key: Uint8Array,
  from: number,
  to: number,
  patch: Patch,
): void {
  const { log } = core.space;
  const { reader } = log;
  const found = core.find(key, from, to);
  const { newLength } = patch;
  const expireAtMs = found === 0 ? 0 : reader.expireAtMs(found);
  const flags = found === 0 ? 0 : reader.flags(found);
  if (found !== 0 && reader.pieces(found) > 0 && log.isLong(to - from, newLength, expireAtMs)) {
    const replaced: number[] = [];
    const record = appendPatched(log, core, patch, replaced);
    let units = log.appendedUnits;
    const old = core.record;
    replaceSlot(core, record);
    units -= log.kill(old, true);
    for (const piece of replaced) units -= log.killPiece(piece);
    addLive(core, units);
    core.space.afterWrite(log.appendedUnits);
    return;
  }
  const value = new Uint8Array(newLength);
  if (found !== 0) {
    reader.copyValueRange(found, 0, Math.min(newLength, reader.valueBytes(found)), value, 0);
  }
  value.set(patch.bytes.subarray(patch.from, patch.to), patch.at);
  setEntry(core, key, from, to, value, 0, newLength, flags, expireAtMs);
}

function addLive(core: TableCore, units: number): void {
  core.setHeaderWord(TABLE.liveUnits, core.headerWord(TABLE.liveUnits) + units);
}
