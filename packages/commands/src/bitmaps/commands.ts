/** Bitmaps: strings, seen as bits. Bit 0 is the highest of the first byte. */
import {
  type CommandFlag,
  type CommandSpec,
  type Handler,
  type KeyRange,
  oneKey,
} from '../table/row.js';
import { bitCount } from './bit-count.js';
import { bitField, bitFieldAccess, bitFieldReadOnly } from './bit-field.js';
import { bitOp } from './bit-op.js';
import { bitPos } from './bit-pos.js';
import { getBit, setBit } from './bits.js';

function row(
  name: string,
  arity: number,
  flags: readonly CommandFlag[],
  since: string,
  summary: string,
  complexity: string,
  handler: Handler,
  more: Partial<CommandSpec> = {},
): CommandSpec {
  return {
    name,
    arity,
    flags,
    group: 'bitmap',
    categories: ['bitmap'],
    since,
    summary,
    complexity,
    handler,
    ...more,
  };
}

const BITOP_KEYS: KeyRange = {
  first: 2,
  last: -1,
  step: 1,
  access: 'OW update',
  parts: [
    { first: 2, last: 2, step: 1, access: 'OW update' },
    { first: 3, last: -1, step: 1, access: 'RO access' },
  ],
};

export const bitmapCommands: readonly CommandSpec[] = [
  row(
    'setbit',
    4,
    ['write', 'denyoom'],
    '2.2.0',
    'Sets or clears the bit at offset in the string value stored at key',
    'O(1)',
    setBit,
    { keys: oneKey('RW access update'), syntax: 'key offset:i value:i' },
  ),
  row(
    'getbit',
    3,
    ['readonly', 'fast'],
    '2.2.0',
    'Returns the bit value at offset in the string value stored at key',
    'O(1)',
    getBit,
    { keys: oneKey('RO access'), syntax: 'key offset:i' },
  ),
  row('bitcount', -2, ['readonly'], '2.6.0', 'Count set bits in a string', 'O(N)', bitCount, {
    keys: oneKey('RO access'),
    syntax: 'key [index{start:i end:i [index_unit(BYTE/ | BIT/)]}]',
  }),
  row(
    'bitpos',
    -3,
    ['readonly'],
    '2.8.7',
    'Find first bit set or clear in a string',
    'O(N)',
    bitPos,
    {
      keys: oneKey('RO access'),
      syntax: 'key bit:i [index{start:i [end_index{end:i [index_unit(BYTE/ | BIT/)]}]}]',
    },
  ),
  row(
    'bitop',
    -4,
    ['write', 'denyoom'],
    '2.6.0',
    'Perform bitwise operations between strings',
    'O(N)',
    bitOp,
    { keys: BITOP_KEYS, syntax: 'operation destkey:k key...' },
  ),
  row(
    'bitfield',
    -2,
    ['write', 'denyoom'],
    '3.2.0',
    'Perform arbitrary bitfield integer operations on strings',
    'O(1) for each subcommand specified',
    bitField,
    {
      keys: { ...oneKey('RW access update variable_flags'), accessOf: bitFieldAccess },
      syntax:
        'key [operation(GET/encoding_offset{encoding offset:i} | write{[OVERFLOW/wrap_sat_fail(WRAP/ | SAT/ | FAIL/)] write_operation(SET/encoding_offset_value{encoding offset:i value:i} | INCRBY/encoding_offset_increment{encoding offset:i increment:i})})...]',
    },
  ),
  row(
    'bitfield_ro',
    -2,
    ['readonly', 'fast'],
    '6.0.0',
    'Perform arbitrary bitfield integer operations on strings. Read-only variant of BITFIELD',
    'O(1) for each subcommand specified',
    bitFieldReadOnly,
    { keys: oneKey('RO access'), syntax: 'key [GET/encoding_offset{encoding offset:i}...+]' },
  ),
];
