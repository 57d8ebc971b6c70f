/** Whether a table is the one that the manifest names: names can be mixed up where every checksum fits. */
import { corrupt } from '../errors.js';
import { compareKeys } from '../order.js';
import type { TableReader } from '../table/table-reader.js';
import type { TableMeta } from './table-meta.js';

/** Throws `LSM_CORRUPT` unless `reader` reads what `table` describes. */
export function checkTable(reader: TableReader, table: TableMeta): void {
  const { properties } = reader;
  if (
    reader.fileBytes === table.fileBytes &&
    properties.entries === table.entries &&
    properties.sequenceMin === table.sequenceMin &&
    properties.sequenceMax === table.sequenceMax &&
    compareKeys(properties.smallest, table.smallest) === 0 &&
    compareKeys(properties.largest, table.largest) === 0
  ) {
    return;
  }
  throw corrupt(reader.path, 0, 'it is another table than the manifest names');
}
