export {
  ConfigError,
  type ParsedConfig,
  parseConfig,
  type ServerConfig,
  serverConfig,
} from './config.js';
export { ExitCode } from './exit-code.js';
export { createLog, type Logger } from './log.js';
export { main } from './run.js';
export { type RunningServer, type ServerEnd, type ServerSeams, startServer } from './server.js';
export { ListenError, type StartFailure, startFailure } from './start-error.js';
