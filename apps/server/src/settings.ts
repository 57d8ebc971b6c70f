/**
 * The configuration as CONFIG GET shows it: Redis's parameter names first, since clients and tools
 * ask for those, then our own under their flag names.
 *
 * Passwords are never among them; `requirepass` says only whether there is one.
 */
import { resolve } from 'node:path';
import type { ServerConfig } from './config.js';
import { LISTEN_BACKLOG } from './limits.js';
import { formatSync } from './options.js';

const DATABASES = 16;
const MS_PER_S = 1000;

/**
 * @param port the port that was bound, which differs from the configured one when that is 0
 * @param storeKind the store of the directory, where none was asked for
 */
export function settings(
  config: ServerConfig,
  port: number,
  passwordRequired: boolean,
  storeKind: string,
): ReadonlyMap<string, string> {
  const output = `normal ${config.outputBufferBytesMax} 0 0`;
  return new Map(
    Object.entries({
      appendfsync: appendfsync(config),
      appendonly: 'yes',
      bind: config.bind,
      'client-output-buffer-limit': output,
      'client-query-buffer-limit': String(config.queryBufferBytesMax),
      databases: String(DATABASES),
      dir: resolve(config.dir),
      loglevel: config.logLevel,
      maxclients: String(config.clientsMax),
      maxmemory: '0',
      'maxmemory-policy': 'noeviction',
      port: String(port),
      'proto-max-bulk-len': String(config.valueBytesMax),
      'protected-mode': config.protectedMode,
      requirepass: passwordRequired ? '(set)' : '',
      save: '',
      'tcp-backlog': String(LISTEN_BACKLOG),
      timeout: String(Math.ceil(config.idleTimeoutMs / MS_PER_S)),
      sync: formatSync(config.sync),
      store: storeKind,
      'idle-timeout-ms': String(config.idleTimeoutMs),
      'request-timeout-ms': String(config.requestTimeoutMs),
      'auth-timeout-ms': String(config.authTimeoutMs),
      'drain-timeout-ms': String(config.drainTimeoutMs),
      'output-pause-bytes': String(config.outputPauseBytes),
    }),
  );
}

/** The Redis policy whose promise is nearest, and not above ours. */
function appendfsync({ sync }: ServerConfig): string {
  if (sync === 'always') return 'always';
  return sync === 'os' ? 'no' : 'everysec';
}
