/**
 * SAVE, BGSAVE, BGREWRITEAOF, LASTSAVE, SHUTDOWN. A snapshot here only shortens recovery: the log has the writes
 * already. SAVE holds up its own client, not the others.
 */
import { word } from '../bytes/words.js';
import type { Call } from '../dispatch/call.js';
import { oneLine, SAVE_IN_PROGRESS, SYNTAX, writeError } from '../errors.js';
import type { ShutdownMode } from '../host.js';

const SCHEDULE = word('schedule');
const SAVE = word('save');
const NOSAVE = word('nosave');
const NOW = word('now');
const FORCE = word('force');
const ABORT = word('abort');

export function save(call: Call): void | Promise<void> {
  const { engine } = call.environment;
  if (engine.health().snapshot.inProgress) return call.fail(SAVE_IN_PROGRESS);
  const { reply } = call;
  return engine.snapshot().then(
    () => reply.simple('OK'),
    (error: unknown) => writeError(reply, `ERR ${oneLine(messageOf(error))}`),
  );
}

/** A failure is in `snapshot.lastError` of the engine's health, and so in INFO and NENDB STATUS. */
export function bgSave(call: Call) {
  if (call.argc > 2 || (call.argc === 2 && !call.is(1, SCHEDULE))) return call.fail(SYNTAX);
  if (call.environment.engine.health().snapshot.inProgress) return call.fail(SAVE_IN_PROGRESS);
  startSnapshot(call);
  call.reply.simple(call.queued ? 'Background saving scheduled' : 'Background saving started');
}

/** Redis writes its log anew; here a snapshot takes the place of the log before it. */
export function bgRewriteAof(call: Call) {
  if (call.environment.engine.health().snapshot.inProgress) {
    return call.reply.simple('Background append only file rewriting scheduled');
  }
  startSnapshot(call);
  call.reply.simple('Background append only file rewriting started');
}

function startSnapshot(call: Call) {
  const { engine, host } = call.environment;
  const start = () =>
    engine.snapshot().catch((error: unknown) => {
      host.report(error instanceof Error ? error : new Error(messageOf(error)));
    });
  // Once EXEC has committed, which it does without a wait, so that the image has what it wrote.
  if (call.queued) void Promise.resolve().then(start);
  else void start();
}

/** Seconds since 1970; the start of the server where there is no snapshot yet, as in Redis. */
export function lastSave(call: Call) {
  const { engine, host } = call.environment;
  const savedAtMs = engine.health().snapshot.savedAtMs || host.startedAtMs;
  call.reply.integer(Math.floor(savedAtMs / 1000));
}

/**
 * SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] | ABORT; NOW and FORCE have nothing to skip here, and once a
 * stop has begun no command runs that could abort it.
 */
export function shutdown(call: Call): void | Promise<void> {
  let mode: ShutdownMode = 'default';
  let aborts = 0;
  for (let i = 1; i < call.argc; i++) {
    if (call.is(i, SAVE) && mode !== 'nosave') mode = 'save';
    else if (call.is(i, NOSAVE) && mode !== 'save') mode = 'nosave';
    else if (call.is(i, ABORT)) aborts++;
    else if (!call.is(i, NOW) && !call.is(i, FORCE)) return call.fail(SYNTAX);
  }
  if (aborts > 0) {
    return call.fail(aborts === call.argc - 1 ? 'ERR No shutdown in progress.' : SYNTAX);
  }
  const { reply, environment } = call;
  return environment.host
    .shutdown(mode)
    .catch((error: unknown) =>
      writeError(reply, `ERR Errors trying to SHUTDOWN: ${oneLine(messageOf(error))}`),
    );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
