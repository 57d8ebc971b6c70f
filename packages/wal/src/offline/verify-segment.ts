/**
 * Reads everything of one segment that has a checksum: frames, the chain over them, the trailer,
 * and the index in it. Continues behind damage.
 */
import { crc32 } from '@nendb/codec';
import { readFully, type Vfs, type VfsFile } from '@nendb/vfs';
import type { Segment } from '../directory.js';
import * as format from '../format.js';
import { emptyFrameHeader, frameBytes, readFrameHeader } from '../frame.js';
import { FRAME_BYTES_MAX } from '../limits.js';
import { sourceOf, type TailScan } from '../tail-scan.js';
import { decodeFooter, decodeTrailer } from '../trailer.js';
import { getU64, viewOf } from '../u64.js';
import type { Findings } from './findings.js';
import { ForgivingFile } from './forgiving-file.js';
import type { SurveyedFile } from './survey.js';
import { type Run, walkFrames } from './walk.js';

/**
 * Returns the bytes of frames that were compared. `extent`: whether `segment.end` is known, and its
 * `lastLsn`; `next`: the segment after it; `scan`: the end of the last one.
 */
export async function verifySegment(
  vfs: Vfs,
  { path, segment, vouched }: SurveyedFile,
  next: Segment | undefined,
  extent: boolean,
  scan: TailScan | undefined,
  findings: Findings,
): Promise<number> {
  if (!segment) return 0;
  const opened = await findings.attempt('unreadable', path, () => vfs.open(path, 'read'));
  if (!opened) return 0;
  const file = new ForgivingFile(opened, (offset) =>
    findings.add('unreadable', path, offset, 'the device cannot read this sector'),
  );
  try {
    const sealed = vouched ? trailerKind(next) : !!scan?.closed && extent;
    const trailer = sealed ? await readTrailer(file, segment, findings) : undefined;
    const index = new IndexCheck(trailer);
    const end = extent ? segment.end : segment.fileBytes;
    let verifiedBytes = 0;
    let whole: Run | undefined;
    let problem = false;
    await walkFrames(file, sourceOf(segment), Math.min(end, segment.fileBytes), extent, {
      frame: ({ header, offset }) => {
        if (header.fragment === 0) index.frame(header.firstLsn, offset);
        verifiedBytes += frameBytes(header.payloadBytes);
      },
      run: (run) => {
        whole ??= run;
      },
      bad: (offset, what) => {
        problem = true;
        findings.add('frame', path, offset, `${what}, expected a frame`);
      },
    });
    if (extent && !problem) checkEnd(segment, whole, vouched || !!scan?.closed, findings);
    if (trailer && !problem) index.finish(path, findings);
    return verifiedBytes;
  } finally {
    await file.close();
  }
}

/** Whether what follows says that this segment has a trailer. */
function trailerKind(next: Segment | undefined): boolean {
  if (next?.header.kind === format.SegmentKind.closed) return true;
  // Only a successor that holds a record was preceded by the trailer.
  return next?.header.kind === format.SegmentKind.rotated && next.lastLsn >= next.header.baseLsn;
}

function checkEnd(
  segment: Segment,
  run: Run | undefined,
  chained: boolean,
  findings: Findings,
): void {
  const { path, end, lastLsn, chain, headerBytes, header } = segment;
  const foundLsn = run?.lastLsn ?? header.baseLsn - 1;
  const foundEnd = run?.end ?? headerBytes;
  if (foundEnd !== end || foundLsn !== lastLsn) {
    findings.add(
      'end',
      path,
      foundEnd,
      `the frames end here at LSN ${foundLsn}, expected them up to ${end} and LSN ${lastLsn}`,
    );
  } else if (chained && (run?.chain ?? 0) !== chain) {
    findings.add('end', path, end, 'the chained checksum is not the one that was noted for it');
  }
}

interface FoundTrailer {
  offset: number;
  /** (LSN, offset) of frames that start units, oldest first. */
  index: readonly [number, number][];
}

/** The trailer behind the frames of `segment`, if it is whole; otherwise a finding. */
async function readTrailer(
  file: VfsFile,
  segment: Segment,
  findings: Findings,
): Promise<FoundTrailer | undefined> {
  const { path, end, fileBytes } = segment;
  const length = fileBytes - end;
  const problem = (what: string): undefined => {
    findings.add('trailer', path, end, `${what}: no record depends on it`);
    return undefined;
  };
  if (length < format.FRAME_HEADER_BYTES) return problem('the trailer is missing');
  const bytes = new Uint8Array(Math.min(length, FRAME_BYTES_MAX));
  await readFully(file, bytes, end);
  const header = emptyFrameHeader();
  if (!readFrameHeader(bytes, viewOf(bytes), 0, header, end, segment.seed)) {
    return problem('no valid frame header where the trailer should be');
  }
  const payload = bytes.subarray(format.FRAME_HEADER_BYTES).subarray(0, header.payloadBytes);
  if (crc32(payload) !== header.payloadCrc) {
    return problem('a trailer that does not match its checksum');
  }
  const trailer = decodeTrailer(payload);
  if (typeof trailer === 'string') return problem(trailer);
  const footer = decodeFooter(payload.subarray(payload.length - format.FOOTER_BYTES));
  const counted = trailer.count === segment.lastLsn + 1 - segment.header.baseLsn;
  if (footer !== end || !counted || trailer.lastLsn !== segment.lastLsn) {
    return problem(`a trailer that counts ${trailer.count} records up to LSN ${trailer.lastLsn}`);
  }
  if (trailer.chain !== segment.chain) return problem('a trailer with another chained checksum');
  if (frameBytes(header.payloadBytes) !== length) return problem('bytes behind the trailer');
  return { offset: end, index: indexOf(payload) };
}

function indexOf(payload: Uint8Array): [number, number][] {
  const view = viewOf(payload);
  const count = view.getUint32(format.TRAILER_ENTRIES_AT, true);
  return Array.from({ length: count }, (_, i) => {
    const at = format.TRAILER_INDEX_AT + i * format.INDEX_ENTRY_BYTES;
    return [getU64(view, at), getU64(view, at + 8)];
  });
}

/** Follows the frames, and expects each entry of the index among them. */
class IndexCheck {
  readonly #trailer: FoundTrailer | undefined;
  #next = 0;

  constructor(trailer: FoundTrailer | undefined) {
    this.#trailer = trailer;
  }

  frame(firstLsn: number, offset: number): void {
    const entry = this.#trailer?.index[this.#next];
    if (entry && entry[0] === firstLsn && entry[1] === offset) this.#next++;
  }

  finish(path: string, findings: Findings): void {
    const entry = this.#trailer?.index[this.#next];
    if (!this.#trailer || !entry) return;
    findings.add(
      'trailer',
      path,
      this.#trailer.offset,
      `the index has LSN ${entry[0]} at offset ${entry[1]}, no unit starts there: no record depends on it`,
    );
  }
}
