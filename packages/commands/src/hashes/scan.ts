/** HSCAN. Source: Redis 7.4, `hscanCommand` and `scanGenericCommand`. */
import { ValueType } from '@nendb/engine';
import { globMatches } from '../bytes/glob.js';
import type { Call } from '../dispatch/call.js';
import { NOVALUES, readCursor, readScanOptions } from '../generic/scan.js';
import { SMALL_HASH_FIELDS_MAX } from '../limits.js';

const KEY = 1;
const CURSOR = 2;
const OPTIONS = 3;

/** HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES] */
export function hScan(call: Call) {
  const cursor = readCursor(call, CURSOR);
  if (cursor === undefined) return;
  const view = call.lookUp(KEY);
  if (call.refusesType(view, ValueType.hash)) return;
  const fields = view?.length ?? 0;
  // As in Redis the options of a scan of nothing are not looked at.
  const options = fields === 0 ? undefined : readScanOptions(call, OPTIONS, NOVALUES);
  if (fields > 0 && options === undefined) return;
  const found: Buffer[] = [];
  let next = 0;
  if (options !== undefined && Number.isSafeInteger(cursor)) {
    const { pattern, noValues } = options;
    const count = fields <= SMALL_HASH_FIELDS_MAX ? SMALL_HASH_FIELDS_MAX : options.count;
    next = call.transaction.scanFields(
      call.session.database,
      call.bytes,
      call.starts[KEY],
      call.ends[KEY],
      cursor,
      count,
      (field, value) => {
        if (pattern !== undefined && !globMatches(pattern, field)) return;
        found.push(Buffer.from(field));
        if (!noValues) found.push(Buffer.from(value.bytes()));
      },
    );
  }
  call.reply.array(2);
  call.reply.text(String(next));
  call.reply.array(found.length);
  for (const bytes of found) call.reply.bulk(bytes);
}
