/** What a piece of code is refused with. */
import { CryptoError, FormatError } from '@nendb/codec';

/** The typed error that `run` throws; fails on any other outcome. */
export function refusal(run: () => unknown): CryptoError | FormatError {
  try {
    run();
  } catch (error) {
    if (error instanceof CryptoError || error instanceof FormatError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

export function codeOf(run: () => unknown): string {
  return refusal(run).code;
}
