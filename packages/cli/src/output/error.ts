/** Prints an error on stderr: for people in two lines, for programs as one JSON document. */
import type { CliError } from '../errors.js';
import type { Io } from '../io.js';
import { toJson } from './json.js';
import { visible } from './visible.js';

/** Writes `error` to stderr; as `{error: {code, message, hint}}` with `json`. */
export function printError(io: Io, error: CliError, json: boolean): void {
  const hint = error.hint ?? null;
  if (json) {
    io.stderr.write(toJson({ error: { code: error.code, message: error.message, hint } }));
    return;
  }
  io.stderr.write(`nen: ${visible(error.message)}\n`);
  if (error.hint !== undefined) io.stderr.write(`hint: ${error.hint}\n`);
}

/** A note beside the data that is no error. */
export function printWarning(io: Io, text: string): void {
  io.stderr.write(`warning: ${visible(text)}\n`);
}
