/** HRANDFIELD. Source: Redis 7.0, `hrandfieldCommand`. */
import { ValueType } from '@nendb/engine';
import { INT64_MAX, INT64_MIN } from '../bytes/integers.js';
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { readInteger } from '../dispatch/numbers.js';
import { OUT_OF_RANGE, SYNTAX } from '../errors.js';
import { RANDOM_FIELDS_MAX } from '../limits.js';
import { visitFields } from './everything.js';

const WITHVALUES = word('withvalues');

/** The one 64-bit integer that is no count. */
const LEAST = INT64_MIN.toString();

const KEY = 1;
const COUNT = 2;
const OPTION = 3;

/** Redis takes so many below 2^63 with WITHVALUES, and all without; the first is the edge of a double. */
const COUNT_WITH_VALUES_MAX = 2 ** 62;

/** Above this share of the fields, those that are left out are drawn instead of those given. */
const MOST = 3;

/** HRANDFIELD key [count [WITHVALUES]]: a negative count allows repetition. */
export function hRandField(call: Call) {
  if (call.argc === COUNT) return one(call);
  const count = readInteger(call, COUNT);
  if (Number.isNaN(count)) return;
  if (call.slice(COUNT).length === LEAST.length && call.text(COUNT) === LEAST) {
    return call.fail(
      `ERR value is out of range, value must between ${-INT64_MAX} and ${INT64_MAX}`,
    );
  }
  const withValues = call.argc > OPTION;
  if (call.argc > OPTION + 1 || (withValues && !call.is(OPTION, WITHVALUES))) {
    return call.fail(SYNTAX);
  }
  if (withValues && isBeyond(call)) return call.fail(OUT_OF_RANGE);
  const view = call.lookUp(KEY);
  if (call.refusesType(view, ValueType.hash)) return;
  const fields = view?.length ?? 0;
  if (count === 0 || fields === 0) return call.reply.array(0);
  if (count < -RANDOM_FIELDS_MAX) return call.fail(OUT_OF_RANGE);
  if (count < 0) return withRepetition(call, -count, withValues);
  return distinct(call, fields, Math.min(count, fields), withValues);
}

function isBeyond(call: Call): boolean {
  const count = Number(call.text(COUNT));
  return count < -COUNT_WITH_VALUES_MAX || count >= COUNT_WITH_VALUES_MAX;
}

function one(call: Call) {
  const view = call.lookUp(KEY);
  if (view === undefined) return call.reply.null();
  if (call.refusesType(view, ValueType.hash)) return;
  sample(call, (field) => call.reply.bulk(field));
}

function withRepetition(call: Call, count: number, withValues: boolean) {
  begin(call, count, withValues);
  for (let i = 0; i < count; i++) {
    sample(call, (field, value) => reply(call, field, value.bytes(), withValues));
  }
}

function distinct(call: Call, fields: number, count: number, withValues: boolean) {
  begin(call, count, withValues);
  if (count * MOST < fields) {
    const given = new Set<string>();
    while (given.size < count) {
      sample(call, (field, value) => {
        const name = Buffer.from(field).toString('latin1');
        if (given.has(name)) return;
        given.add(name);
        reply(call, field, value.bytes(), withValues);
      });
    }
    return;
  }
  // One walk over all of them: each is given with the chance that is left for it.
  let wanted = count;
  let left = fields;
  visitFields(call, fields, (field, value) => {
    if (call.environment.engine.random() * left-- >= wanted) return;
    wanted--;
    reply(call, field, value.bytes(), withValues);
  });
}

function sample(call: Call, visit: Parameters<Call['transaction']['sampleField']>[5]) {
  const found = call.transaction.sampleField(
    call.session.database,
    call.bytes,
    call.starts[KEY],
    call.ends[KEY],
    call.environment.engine.random(),
    visit,
  );
  if (!found) throw new Error('expected a field in a hash that has some, the store gave none');
}

/** In RESP3 a field and its value are an array of their own. */
function begin(call: Call, count: number, withValues: boolean) {
  const { reply } = call;
  reply.array(withValues && reply.protocol === 2 ? count * 2 : count);
}

function reply(call: Call, field: Uint8Array, value: Uint8Array, withValues: boolean) {
  if (withValues && call.reply.protocol === 3) call.reply.array(2);
  call.reply.bulk(field);
  if (withValues) call.reply.bulk(value);
}
