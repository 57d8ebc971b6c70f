/** Runs transactions again that met a conflict. */
import { OracleError } from '@nendb/txn-oracle';
import { TRANSACTION_RETRIES_DEFAULT } from '../limits.js';
import { integer } from '../options.js';
import type { TransactOptions } from '../types.js';
import type { Transaction } from './transaction.js';

/** See `Lsm.transact`. */
export async function runTransaction<T>(
  begin: (readOnly: boolean) => Transaction,
  body: (transaction: Transaction) => Promise<T> | T,
  options: TransactOptions,
): Promise<T> {
  const { retriesMax = TRANSACTION_RETRIES_DEFAULT, readOnly = false } = options;
  integer('retriesMax', retriesMax, 0, Number.MAX_SAFE_INTEGER);
  for (let retry = 0; ; retry++) {
    const transaction = begin(readOnly);
    try {
      const result = await body(transaction);
      await transaction.commit();
      return result;
    } catch (error) {
      transaction.abort();
      const conflict = error instanceof OracleError && error.code === 'TXN_CONFLICT';
      if (!conflict || retry >= retriesMax) throw error;
    }
  }
}
