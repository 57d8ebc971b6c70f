/** What is tested. */
import type { Region } from '../region.js';

/** The size of regions that the suite asks for, in bytes. */
export const CONFORMANCE_BYTES = 256 * 1024;

export interface ConformanceSubject {
  /** Makes an empty region of `CONFORMANCE_BYTES`; called once. */
  make(): Promise<Region>;
  /** Opens again what was made and closed. Left out where nothing survives a close. */
  reopen?(): Promise<Region>;
  /** Opens what a crash right now would leave of `region`: of the kind that `caps.durable` names. */
  crash?(region: Region): Promise<Region>;
  /** Runs a case. A simulator takes its steps here; left out, the case is just called. */
  run?(body: () => Promise<void>): Promise<void>;
  /** Called after the case, also when it failed. */
  dispose?(): Promise<void>;
}

export interface ConformanceOptions {
  /** Registers a case with the test framework at hand. */
  test(name: string, body: () => Promise<void>): void;
  makeSubject(): ConformanceSubject | Promise<ConformanceSubject>;
}

export interface ConformanceCase {
  name: string;
  body(region: Region, subject: ConformanceSubject): Promise<void> | void;
}
