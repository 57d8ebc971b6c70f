/**
 * `Wal.inspect` and `Wal.verify`: what a log consists of, what is wrong with it, and what its next
 * opening will say. Both only read, take no lock, and go on behind damage.
 *
 *     survey    names, HEAD, headers, links      every finding is noted
 *     judge     what recovery does before it writes: its verdict is the verdict
 *     walk      (verify) every frame, trailer and index
 *
 * Invariants
 *  1. The verdict is `corrupt` where the next opening, replaying from the first record, refuses;
 *     else the one that it reports.
 *  2. Nothing on disk changes. Memory is bounded by one read and one frame.
 *
 * On a log that is being written to the last segment is read while it grows: it may look torn.
 */
import { formatUuid } from '@nendb/codec';
import type { Vfs } from '@nendb/vfs';
import { inspectDirectory, type Segment } from '../directory.js';
import { explained, WalError } from '../errors.js';
import * as format from '../format.js';
import { judgeTail, requireDirectory } from '../open.js';
import { checkEncryption, checkNames, checkPath, checkVfs, type OptionNames } from '../options.js';
import { printable } from '../printed.js';
import { unlock } from '../sealing.js';
import { scanTail, type TailScan } from '../tail-scan.js';
import { Findings } from './findings.js';
import type {
  OfflineOptions,
  WalInspection,
  WalSegmentEnd,
  WalSegmentReport,
  WalVerification,
} from './report.js';
import { type Survey, type SurveyedFile, surveyLog } from './survey.js';
import { verifySegment } from './verify-segment.js';

const OFFLINE_OPTIONS: OptionNames<OfflineOptions> = { vfs: true, encryption: true };

/** An examined log, with what the tools that go on from here need. */
export interface Examined {
  survey: Survey;
  findings: Findings;
  /** The last segment's end; `undefined` where it is damaged, or there is no last segment. */
  scan: TailScan | undefined;
  report: WalVerification;
}

/** Throws `WAL_TOO_NEW`, and what the directory itself cannot be read for. */
export async function inspectLog(dir: string, options: OfflineOptions): Promise<WalInspection> {
  const { verifiedBytes: _, ...inspection } = (await examine(dir, options, false)).report;
  return printable(inspection);
}

/** Throws as `inspectLog`. */
export async function verifyLog(dir: string, options: OfflineOptions): Promise<WalVerification> {
  return printable((await examine(dir, options, true)).report);
}

async function examine(dir: string, options: OfflineOptions, deep: boolean): Promise<Examined> {
  checkPath('dir', dir);
  checkNames('the options', '{ vfs, encryption }', options, OFFLINE_OPTIONS);
  const vfs = checkVfs(options.vfs);
  const keys = checkEncryption(options.encryption);
  try {
    const found = await vfs.stat(dir);
    if (found) requireDirectory(dir, found);
    return await examineLog(vfs, dir, deep, keys && ((segment) => unlock(segment, keys)));
  } catch (error) {
    throw explained(error);
  }
}

/**
 * `deep`: whether every frame is read. `open` makes the records of a segment readable, or throws
 * `WAL_WRONG_KEY` or `WAL_NOT_ENCRYPTED`: that is thrown on where it fits no segment.
 */
export async function examineLog(
  vfs: Vfs,
  dir: string,
  deep: boolean,
  open?: (segment: Segment) => void,
): Promise<Examined> {
  const startedMs = vfs.clock.monotonicMs();
  const findings = new Findings();
  const survey = await surveyLog(vfs, dir, findings);
  const { head, files } = survey;
  if (open) openAll(files, open, findings);
  const last = files.at(-1)?.segment;
  const scan = last && (await findings.attempt('end', last.path, () => scanTail(vfs, last)));
  if (last && scan)
    Object.assign(last, { end: scan.end, lastLsn: scan.lastLsn, chain: scan.chain });
  let verifiedBytes = 0;
  const segments: WalSegmentReport[] = [];
  for (const [i, file] of files.entries()) {
    const { segment } = file;
    const extent = file.vouched || (segment === last && scan !== undefined);
    if (segment && deep) {
      verifiedBytes += await verifySegment(
        vfs,
        file,
        files[i + 1]?.segment,
        extent,
        scan,
        findings,
      );
    }
    segments.push(describe(file, files[i + 1], extent, scan));
  }
  if (survey.exists) await judge(vfs, dir, findings);
  if (last && scan) noteTorn(last, scan, findings);
  for (const segment of segments) markState(segment, dir, findings);
  const known = segments.filter(({ records }) => records !== undefined);
  const uuid =
    head?.databaseUuid ?? files.find(({ segment }) => segment)?.segment?.header.databaseUuid;
  const report: WalVerification = {
    dir,
    verdict: verdictOf(survey, findings),
    epoch: Math.max(head?.epoch ?? 0, ...files.map(({ segment }) => segment?.header.epoch ?? 0)),
    records: known.reduce((sum, { records = 0 }) => sum + records, 0),
    bytes: known.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    segments,
    leftovers: survey.leftovers,
    findings: findings.list,
    findingsDropped: findings.dropped,
    verifiedBytes,
    elapsedMs: vfs.clock.monotonicMs() - startedMs,
  };
  if (uuid) report.databaseUuid = formatUuid(uuid);
  const firstLsn = known[0]?.firstLsn;
  const lastLsn = known.at(-1)?.lastLsn;
  if (firstLsn !== undefined) report.firstLsn = firstLsn;
  if (lastLsn !== undefined) report.lastLsn = lastLsn;
  return { survey, findings, scan, report };
}

/** Opens all segments; one that cannot be opened, among others that can, does not belong here. */
function openAll(
  files: readonly SurveyedFile[],
  open: (segment: Segment) => void,
  findings: Findings,
): void {
  const refusals: { at: number; error: WalError }[] = [];
  for (const [at, { segment }] of files.entries()) {
    try {
      if (segment) open(segment);
    } catch (error) {
      if (!(error instanceof WalError)) throw error;
      refusals.push({ at, error });
    }
  }
  const readable = files.filter(({ segment }) => segment).length;
  if (refusals.length > 0 && refusals.length === readable) throw refusals[0].error;
  for (const { at, error } of refusals) {
    findings.add('link', files[at].path, 0, error.message);
    files[at].segment = undefined;
    files[at].vouched = false;
    // What it says about the end of the one before it is not to be believed either.
    if (at > 0) files[at - 1].vouched = false;
  }
}

/** Notes a torn tail; one that HEAD knows to have been synced is damage, and noted already. */
function noteTorn(segment: Segment, scan: TailScan, findings: Findings): void {
  if (scan.tornBytes === 0 || findings.isDamaged(segment.path)) return;
  const what = `${scan.tornBytes} bytes of a write that was never acknowledged`;
  findings.add('torn', segment.path, scan.end, what);
}

/** Asks recovery itself: what it refuses is damage, whatever the survey thinks. */
async function judge(vfs: Vfs, dir: string, findings: Findings): Promise<void> {
  try {
    await judgeTail(vfs, await inspectDirectory(vfs, dir));
  } catch (error) {
    findings.addError(error instanceof WalError ? kindOf(error) : 'unreadable', dir, error);
  }
}

function kindOf({ file }: WalError): 'head' | 'unfinished' | 'end' {
  if (file?.endsWith(`/${format.HEAD_NAME}`)) return 'head';
  return file?.endsWith(`/${format.SALVAGE_NAME}`) ? 'unfinished' : 'end';
}

function verdictOf({ exists }: Survey, findings: Findings): WalVerification['verdict'] {
  if (findings.damage) return 'corrupt';
  if (!exists) return 'missing';
  return findings.list.some(({ kind }) => kind === 'torn') ? 'torn' : 'clean';
}

function describe(
  file: SurveyedFile,
  next: SurveyedFile | undefined,
  extent: boolean,
  scan: TailScan | undefined,
): WalSegmentReport {
  const { name, fileBytes = 0, segment } = file;
  const report: WalSegmentReport = { name, state: 'ok', fileBytes };
  if (!segment) return report;
  const { header, end, lastLsn } = segment;
  report.uuid = formatUuid(header.segmentUuid);
  report.epoch = header.epoch;
  report.firstLsn = header.baseLsn;
  if (!extent) return report;
  report.lastLsn = lastLsn;
  report.records = lastLsn + 1 - header.baseLsn;
  report.bytes = end;
  report.end = file.vouched ? endOf(next) : scan?.closed ? 'closed' : 'open';
  return report;
}

function endOf(next: SurveyedFile | undefined): WalSegmentEnd {
  const kind = next?.segment?.header.kind;
  if (kind === format.SegmentKind.rotated) return 'sealed';
  return kind === format.SegmentKind.closed ? 'closed' : 'recovered';
}

function markState(segment: WalSegmentReport, dir: string, findings: Findings): void {
  const path = `${dir}/${segment.name}`;
  const here = findings.list.filter(({ file }) => file === path);
  if (here.some(({ kind }) => kind === 'missing')) segment.state = 'missing';
  else if (findings.isDamaged(path)) segment.state = 'damaged';
  else if (here.some(({ kind }) => kind === 'torn')) segment.state = 'torn';
}
