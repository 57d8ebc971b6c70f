/** What a check finds. */
import type { Tree } from './tree.js';

export interface Violation {
  /** Name of the check. */
  check: string;
  path: string;
  /** From 1; left out where it is about the whole file. */
  line?: number;
  /** What was expected, what came, what to do. */
  message: string;
}

export interface Check {
  name: string;
  run(tree: Tree): Violation[];
}

/** `path:line: [check] message`, as editors understand it. */
export function formatViolation({ check, path, line, message }: Violation): string {
  return `${path}${line === undefined ? '' : `:${line}`}: [${check}] ${message}`;
}

/** The line that holds `offset`, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1))
    line++;
  return line;
}
