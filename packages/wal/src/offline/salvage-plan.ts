/**
 * The plan of a salvage on disk: what makes it safe to die half-way.
 *
 *     <dir>/SALVAGE     "NENDBSLV 1 <CRC-32 of the rest, 8 hexadecimal digits>\n" and JSON
 *
 *     staged segments (.tmp, synced) -> plan, step `move` -> files go to the quarantine -> plan, step
 *     `name` -> segments get their names -> HEAD -> the plan goes
 *
 * Invariants
 *  1. Before the plan is there nothing of the log was touched; once it is there all that is kept is
 *     in synced files, and no opening starts (`inspectDirectory` refuses).
 *  2. Each step may be done again from its start: what is gone from the directory in step `move`
 *     is in the quarantine, what has no temporary name in step `name` has its own.
 *  3. Files are renamed; across file systems copied, synced, then unlinked.
 */
import { crc32 } from '@nendb/codec';
import { dirname, readFully, replaceFile, type Vfs, type VfsFile, writeFully } from '@nendb/vfs';
import { corrupt, errnoOf } from '../errors.js';
import * as format from '../format.js';
import { HeadFile } from '../head-file.js';
import { READ_BYTES, SALVAGE_PLAN_BYTES_MAX } from '../limits.js';
import type { WalSalvageReport } from './report.js';

export interface SalvagePlan {
  step: 'move' | 'name';
  /** Sequences of the staged segments. */
  staged: number[];
  head: {
    /** Hexadecimal. */
    databaseUuid: string;
    firstSequence: number;
    lastSequence: number;
    epoch: number;
    syncedLsn: number;
  };
  /** What to say when all is done; its `moved` is what to move. */
  report: WalSalvageReport;
}

function planPath(dir: string): string {
  return `${dir}/${format.SALVAGE_NAME}`;
}

/** The plan of a salvage that did not finish. Throws `WAL_CORRUPT` where it is damaged. */
export async function readPlan(vfs: Vfs, dir: string): Promise<SalvagePlan | undefined> {
  const path = planPath(dir);
  const stat = await vfs.stat(path);
  if (!stat) return undefined;
  const refuse = () =>
    corrupt(path, 0, 'the plan of a salvage that did not finish does not match its checksum');
  if (stat.size > SALVAGE_PLAN_BYTES_MAX) throw refuse();
  const bytes = new Uint8Array(stat.size);
  const file = await vfs.open(path, 'read');
  try {
    await readFully(file, bytes, 0);
  } finally {
    await file.close();
  }
  const text = Buffer.from(bytes.buffer).toString('utf8');
  const start = text.indexOf('\n') + 1;
  const json = text.slice(start);
  if (text.slice(0, start) !== titleOf(json)) throw refuse();
  // The checksum says that `writePlan` wrote it.
  return JSON.parse(json) as SalvagePlan;
}

/** Puts the plan in place, durably. */
export async function writePlan(vfs: Vfs, dir: string, plan: SalvagePlan): Promise<void> {
  const json = JSON.stringify(plan);
  await replaceFile(vfs, planPath(dir), Buffer.from(titleOf(json) + json));
}

function titleOf(json: string): string {
  const crc = crc32(Buffer.from(json)).toString(16).padStart(8, '0');
  return `${format.SALVAGE_MAGIC} ${format.SALVAGE_VERSION} ${crc}\n`;
}

/** Does what is left to do of `plan`. */
export async function carryOut(vfs: Vfs, dir: string, plan: SalvagePlan): Promise<void> {
  if (plan.step === 'move') {
    await moveAll(vfs, dir, plan.report.moved);
    await writePlan(vfs, dir, { ...plan, step: 'name' });
  }
  for (const sequence of plan.staged) {
    const temporary = `${dir}/${format.segmentName(sequence, 'tmp')}`;
    if (await vfs.stat(temporary)) {
      await vfs.rename(temporary, `${dir}/${format.segmentName(sequence)}`);
    }
  }
  await vfs.syncDir(dir);
  const databaseUuid = new Uint8Array(Buffer.from(plan.head.databaseUuid, 'hex'));
  const head = await HeadFile.create(vfs, dir, {
    ...plan.head,
    databaseUuid,
    generation: 1,
    cutSequence: 0,
  });
  await head.close();
  await vfs.unlink(planPath(dir));
  await vfs.syncDir(dir);
}

async function moveAll(
  vfs: Vfs,
  dir: string,
  moved: readonly { name: string; to: string }[],
): Promise<void> {
  const directories = new Set<string>();
  for (const { name, to } of moved) {
    const from = `${dir}/${name}`;
    directories.add(dirname(to));
    if (await vfs.stat(from)) await setAside(vfs, from, to);
  }
  for (const directory of directories) await vfs.syncDir(directory);
  await vfs.syncDir(dir);
}

async function setAside(vfs: Vfs, from: string, to: string): Promise<void> {
  try {
    await vfs.rename(from, to);
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error;
    await copyDurably(vfs, from, to);
    await vfs.unlink(from);
  }
}

async function copyDurably(vfs: Vfs, from: string, to: string): Promise<void> {
  // The name was free when the plan was made: what is there is a copy that was cut short.
  if (await vfs.stat(to)) await vfs.unlink(to);
  const source = await vfs.open(from, 'read');
  let target: VfsFile | undefined;
  try {
    target = await vfs.open(to, 'create');
    const buffer = new Uint8Array(READ_BYTES);
    for (let position = 0; ; ) {
      const read = await readFully(source, buffer, position);
      if (read === 0) break;
      await writeFully(target, buffer.subarray(0, read), position);
      position += read;
    }
    await target.sync();
  } finally {
    await target?.close();
    await source.close();
  }
  await vfs.syncDir(dirname(to));
}
