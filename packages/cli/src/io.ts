/**
 * What a command may see of the process it runs in. `apps/cli` gives it the real one, tests give it
 * buffers: nothing in this package looks at the arguments, environment or streams of `process`.
 */

/** Text or bytes for a stream; the order of writes is kept. */
export interface Output {
  write(data: string | Uint8Array): void;
  /** Whether a person reads it: decides between readable and raw, and on colours. */
  readonly isTty: boolean;
}

export interface Io {
  /** Data only. */
  readonly stdout: Output;
  /** Everything else: errors, hints, warnings, progress. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths start. */
  readonly cwd: string;
}
