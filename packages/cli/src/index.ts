/**
 * The commands of `nen` as a library: `run(argv, io)` is the whole program without a process.
 */
export { type CliError, ExitCode } from './errors.js';
export type { Io, Output } from './io.js';
export { type RunOptions, run } from './main.js';
