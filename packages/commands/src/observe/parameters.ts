/** Parameters of the command layer itself: what CONFIG GET and CONFIG SET know besides the host's. */
export interface ObserveParameters {
  /** Commands that take at least so long are in the slow log, in us; negative: none. */
  slowlogUsMin: number;
  /** Entries that the slow log keeps. */
  slowlogEntriesMax: number;
  /** Events that take at least so long are samples of LATENCY, in ms; 0: none. */
  latencyMsMin: number;
}

interface Parameter {
  field: keyof ObserveParameters;
  /** What may be given goes from here to 2^63 - 1. */
  least: number;
}

/** By Redis's names. */
export const PARAMETERS: ReadonlyMap<string, Parameter> = new Map([
  ['slowlog-log-slower-than', { field: 'slowlogUsMin', least: -1 }],
  ['slowlog-max-len', { field: 'slowlogEntriesMax', least: 0 }],
  ['latency-monitor-threshold', { field: 'latencyMsMin', least: 0 }],
] as const);

/** Redis's defaults. */
export function defaultParameters(): ObserveParameters {
  return { slowlogUsMin: 10_000, slowlogEntriesMax: 128, latencyMsMin: 0 };
}
