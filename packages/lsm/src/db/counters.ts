/** What was done since the opening, in plain numbers. */
export class Counters {
  userBytes = 0;
  logBytes = 0;
  flushes = 0;
  flushedBytes = 0;
  compactions = 0;
  compactionReadBytes = 0;
  compactionWrittenBytes = 0;
  movedTables = 0;
  backgroundErrors = 0;
  lastError: string | undefined;
}
