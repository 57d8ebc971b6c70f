/** The oracle's options, checked and with their defaults. */
import { OracleError } from './errors.js';
import {
  OPEN_TRANSACTIONS_MAX,
  RANGES_PER_TRANSACTION_MAX,
  READ_BYTES_MAX,
  READS_PER_TRANSACTION_MAX,
  WRITE_BYTES_PER_TRANSACTION_MAX,
  WRITES_PER_TRANSACTION_MAX,
} from './limits.js';
import type { OracleOptions } from './types.js';

const DEFAULTS: Required<OracleOptions> = {
  lastCommitted: 0,
  hashSeed: 0,
  openTransactionsMax: OPEN_TRANSACTIONS_MAX,
  readsPerTransactionMax: READS_PER_TRANSACTION_MAX,
  rangesPerTransactionMax: RANGES_PER_TRANSACTION_MAX,
  readBytesMax: READ_BYTES_MAX,
  writesPerTransactionMax: WRITES_PER_TRANSACTION_MAX,
  writeBytesPerTransactionMax: WRITE_BYTES_PER_TRANSACTION_MAX,
};

/** The least value of each option that is not 1. */
const LEAST: Partial<Record<keyof OracleOptions, number>> = {
  lastCommitted: 0,
  hashSeed: Number.MIN_SAFE_INTEGER,
  readBytesMax: 0,
};

/** Throws `TXN_BAD_OPTION`. */
export function oracleSettings(options: OracleOptions): Required<OracleOptions> {
  const settings = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof OracleOptions)[]) {
    const value = options[name] ?? DEFAULTS[name];
    const least = LEAST[name] ?? 1;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new OracleError(
        'TXN_BAD_OPTION',
        `expected ${name} to be an integer from ${least} on, got ${value}`,
      );
    }
    settings[name] = value;
  }
  return settings;
}
