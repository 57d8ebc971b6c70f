/**
 * How results print: in `JSON.stringify` an LSN is a decimal string, as in `Position`, and a uuid is
 * text. JSON readers elsewhere have 53 bits, or fewer.
 *
 * `toJSON` is not enumerable: results compare, spread and clone as the plain data that they are.
 */
import { formatUuid } from '@nendb/codec';

/** Members that hold an LSN, wherever in a result. */
const LSN_NAMES: ReadonlySet<string> = new Set([
  'lsn',
  'firstLsn',
  'lastLsn',
  'syncedLsn',
  'durableLsn',
  'from',
  'to',
]);

/** `result` itself, which prints its LSNs as strings from now on. */
export function printable<T extends object>(result: T): T {
  return Object.defineProperty(result, 'toJSON', { value: printed });
}

function printed(this: object): object {
  return printedMembers(this);
}

function printedMembers(members: object): object {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [name, printedValue(name, value)]),
  );
}

function printedValue(name: string, value: unknown): unknown {
  if (typeof value === 'number') return LSN_NAMES.has(name) ? String(value) : value;
  if (value instanceof Uint8Array) return formatUuid(value);
  if (Array.isArray(value)) return value.map((each) => printedValue(name, each));
  return isPlain(value) ? printedMembers(value) : value;
}

/** Anything else prints as it says itself. */
function isPlain(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !('toJSON' in value) &&
    Object.getPrototypeOf(value) === Object.prototype
  );
}
