/** Addresses of servers: `redis://[user[:password]@]host[:port][/database]`. */
import { usageError } from './errors.js';
import { DATABASE_MAX } from './limits.js';

const PORT_DEFAULT = 6379;

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  /** Never printed. */
  readonly password?: string;
  /** Where the address names one. */
  readonly database?: number;
}

/**
 * Parses `url`; `origin` says in errors where it came from. Throws `CliError` `USAGE`, which does not
 * repeat the text: it may hold a password.
 */
export function parseAddress(url: string, origin: string): Address {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.protocol !== 'redis:' || parsed.hostname === '') {
    const scheme = parsed === undefined ? 'something else' : `${parsed.protocol}//`;
    throw usageError(
      `expected an address like redis://127.0.0.1:6379 from ${origin}, got ${scheme}`,
      'write redis://host:port, or redis://host:port/3 for database 3',
    );
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? PORT_DEFAULT : Number(parsed.port),
    user: parsed.username === '' ? undefined : decodeURIComponent(parsed.username),
    password: parsed.password === '' ? undefined : decodeURIComponent(parsed.password),
    database: databaseOf(parsed.pathname.replace(/^\//, ''), origin),
  };
}

/** The address for people: no user, no password. */
export function formatAddress({ host, port }: Address): string {
  return `redis://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A database number as typed: 0 to 15. Throws `CliError` `USAGE`. */
export function parseDatabase(text: string, origin: string): number {
  const database = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (database >= 0 && database <= DATABASE_MAX) return database;
  throw usageError(
    `expected a database number from 0 to ${DATABASE_MAX} in ${origin}, got "${text}"`,
    'leave it out for database 0',
  );
}

function databaseOf(path: string, origin: string): number | undefined {
  return path === '' ? undefined : parseDatabase(path, origin);
}
