/** What the process's exit code tells its supervisor; `nen` uses the same numbers. */
export const ExitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  locked: 5,
  corruption: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
