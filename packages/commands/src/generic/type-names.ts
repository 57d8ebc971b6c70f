/** What TYPE calls each kind of value. */
import { ValueType } from '@nendb/engine';

export const TYPE_NAMES: Readonly<Record<ValueType, string>> = {
  [ValueType.string]: 'string',
  [ValueType.hash]: 'hash',
};
