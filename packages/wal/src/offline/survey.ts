/**
 * A look at a log's directory that no damage stops: what recovery would refuse at the first bad
 * place is noted here, and the look goes on.
 *
 * Invariants
 *  1. Nothing is changed, nothing is locked.
 *  2. Headers, HEAD and links are read and judged by recovery's own functions.
 *  3. A segment is `vouched` for where its successor's header says where it ends.
 */
import type { Vfs } from '@nendb/vfs';
import { findCut, link, readSegment, type Segment } from '../directory.js';
import * as format from '../format.js';
import { type FoundHead, readHead } from '../head-file.js';
import { GAP_NAMED_MAX } from '../limits.js';
import type { Findings } from './findings.js';

/** A file that is, or should be, a segment of the log. */
export interface SurveyedFile {
  name: string;
  path: string;
  /** By its name. */
  sequence: number;
  /** `undefined` where it is missing. */
  fileBytes: number | undefined;
  /** Whether something else, such as a directory, has the name. */
  strange: boolean;
  /** `undefined` where it is missing or its header is unreadable. */
  segment: Segment | undefined;
  vouched: boolean;
}

export interface Survey {
  /** All that should be there, oldest first. */
  files: SurveyedFile[];
  head: FoundHead | undefined;
  leftovers: string[];
  /** Names of segments that a committed cut replaces, and has not renamed yet. */
  replaced: string[];
  /** Whether anything of a log is there. */
  exists: boolean;
}

/** Throws `WAL_TOO_NEW`, and the errors of a directory that cannot be listed. */
export async function surveyLog(vfs: Vfs, dir: string, findings: Findings): Promise<Survey> {
  let sequences: number[] = [];
  const built = new Set<string>();
  const leftovers: string[] = [];
  let head: FoundHead | undefined;
  let hasHead = false;
  for (const name of (await vfs.stat(dir)) ? await vfs.readdir(dir) : []) {
    const parsed = format.parseSegmentName(name);
    if (parsed?.suffix === 'wal') sequences.push(parsed.sequence);
    else if (parsed?.suffix === 'next') built.add(name);
    else if (parsed || name === `${format.HEAD_NAME}.tmp`) leftovers.push(name);
    else if (name === format.HEAD_NAME) hasHead = true;
    else if (name === format.SALVAGE_NAME) {
      findings.add('unfinished', `${dir}/${name}`, 0, 'a salvage was begun and did not finish');
    }
  }
  if (hasHead) {
    const path = `${dir}/${format.HEAD_NAME}`;
    head = await findings.attempt('head', path, () => readHead(vfs, path));
  }
  const exists = hasHead || sequences.length > 0;
  const cut = head && findCut(head, sequences, built);
  const replaced = cut?.renames.map(({ from }) => from) ?? [];
  if (cut?.temporary !== undefined) {
    sequences = [...sequences.filter((each) => each < cut.sequence), cut.sequence];
    built.delete(cut.temporary);
  }
  leftovers.push(...built);
  const first = head?.firstSequence ?? Math.min(...sequences, Number.MAX_SAFE_INTEGER);
  for (const sequence of sequences) {
    if (sequence < first) leftovers.push(format.segmentName(sequence));
  }
  const kept = new Set(sequences.filter((sequence) => sequence >= first));
  for (const sequence of missingOf(kept, head)) kept.add(sequence);
  const files: SurveyedFile[] = [];
  for (const sequence of [...kept].sort((a, b) => a - b)) {
    const name = sequence === cut?.sequence ? cut.temporary : undefined;
    files.push(await look(vfs, dir, sequence, name ?? format.segmentName(sequence), findings));
  }
  linkAll(files, findings);
  return { files, head, leftovers: leftovers.sort(), replaced, exists };
}

/** What is missing between found segments, and of what HEAD names. */
function missingOf(found: ReadonlySet<number>, head: FoundHead | undefined): number[] {
  const known = [...found];
  if (head) known.push(head.firstSequence, head.lastSequence);
  const sorted = [...new Set(known)].sort((a, b) => a - b);
  const missing: number[] = [];
  for (let i = 0; i < sorted.length; i++) {
    if (!found.has(sorted[i])) missing.push(sorted[i]);
    const next = sorted[i + 1] ?? sorted[i] + 1;
    const gap = Math.min(next - sorted[i] - 1, GAP_NAMED_MAX);
    for (let at = 1; at <= gap; at++) missing.push(sorted[i] + at);
  }
  return missing;
}

async function look(
  vfs: Vfs,
  dir: string,
  sequence: number,
  name: string,
  findings: Findings,
): Promise<SurveyedFile> {
  const path = `${dir}/${name}`;
  const stat = await vfs.stat(path);
  const strange = stat !== undefined && stat.kind !== 'file';
  const file = { name, path, sequence, fileBytes: stat?.size, strange, vouched: false };
  if (!stat) {
    findings.add('missing', path, 0, 'the segment is missing');
    return { ...file, segment: undefined };
  }
  const segment = await findings.attempt('header', path, () =>
    readSegment(vfs, dir, sequence, name),
  );
  return { ...file, segment };
}

function linkAll(files: readonly SurveyedFile[], findings: Findings): void {
  for (let i = 1; i < files.length; i++) {
    const [before, after] = [files[i - 1], files[i]];
    if (!before.segment || !after.segment || after.sequence !== before.sequence + 1) continue;
    try {
      link(before.segment, after.segment);
      before.vouched = true;
    } catch (error) {
      findings.addError('link', after.path, error);
    }
  }
}
