/**
 * The document of `nen status --json`: one shape, whether a server wrote it (`NENDB STATUS`) or this
 * program from a stopped directory.
 *
 *     schema_version   grows when a key changes its meaning or goes away; new keys may come at any time
 *     running          whether a process holds the directory
 *     healthy          what --fail-on-unhealthy looks at; reason says why not
 *     writes_refused_at_ms  since when a server refuses writes for lack of room; null where it does not
 *     recovery         what opening it found, or would find
 *     wal_health       the log: healthy, io_error_count, last_error, end_pos, segments
 *     store            kind, database_uuid, epoch; what it holds, where that is known
 *     snapshot         the newest image
 *     resources        cpu, memory, disk; units are in the keys
 *     server           the process; its address is null where none runs
 *
 * LSNs are decimal strings. Only what this program relies on is checked here; the rest passes through.
 */
import * as z from 'zod/mini';
import { CliError, ExitCode } from './errors.js';
import type { JsonValue } from './output/json.js';

const Document = z.looseObject({
  schema_version: z.number(),
  running: z.boolean(),
  healthy: z.boolean(),
  wal_health: z.looseObject({ healthy: z.boolean() }),
  store: z.looseObject({ kind: z.string() }),
  snapshot: z.looseObject({
    file: z.nullable(z.string()),
    lsn: z.nullable(z.string()),
    file_bytes: z.number(),
  }),
  resources: z.looseObject({}),
  server: z.looseObject({}),
});

/** A document whose known keys have been checked. */
export type StatusDocument = { readonly [key: string]: JsonValue } & {
  readonly running: boolean;
  readonly healthy: boolean;
  readonly snapshot: {
    readonly [key: string]: JsonValue;
    readonly file: string | null;
    readonly lsn: string | null;
    readonly file_bytes: number;
  };
};

/**
 * Reads the document that a server sent. Throws `CliError` `BAD_STATUS` where it is not one; `origin`
 * names the server in the message.
 */
export function parseStatusDocument(text: string, origin: string): StatusDocument {
  const result = z.safeParse(Document, parseJson(text, origin));
  if (result.success) return result.data as StatusDocument;
  const { path, message } = result.error.issues[0];
  throw badStatus(origin, `${path.join('.') || 'the document'}: ${message}`);
}

function parseJson(text: string, origin: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badStatus(origin, error instanceof Error ? error.message : String(error));
  }
}

function badStatus(origin: string, came: string): CliError {
  return new CliError(
    ExitCode.failure,
    'BAD_STATUS',
    `expected a status document from ${origin}, got ${came}`,
    'use a nen of the same release as the server',
  );
}
