/** What INFO and metrics count, in plain typed arrays: one addition on the hot path. */

export class Counters {
  /** Runs, refusals before running, and error replies, by `Command.index`. */
  readonly calls: Float64Array;
  readonly rejected: Float64Array;
  readonly failed: Float64Array;
  /** Requests answered, whatever the answer. */
  commandsProcessed = 0;
  keyspaceHits = 0;
  keyspaceMisses = 0;
  errorReplies = 0;
  /** Error replies by their first word: few, since only the table's texts are counted. */
  readonly errors = new Map<string, number>();

  constructor(commands: number) {
    this.calls = new Float64Array(commands);
    this.rejected = new Float64Array(commands);
    this.failed = new Float64Array(commands);
  }

  countError(text: string): void {
    const space = text.indexOf(' ');
    const code = space < 0 ? text : text.slice(0, space);
    this.errorReplies++;
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    this.calls.fill(0);
    this.rejected.fill(0);
    this.failed.fill(0);
    this.commandsProcessed = 0;
    this.keyspaceHits = 0;
    this.keyspaceMisses = 0;
    this.errorReplies = 0;
    this.errors.clear();
  }
}
