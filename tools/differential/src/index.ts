export { EXPLANATIONS, type Explanation } from './explained.js';
export { hasStore, NendbPeer } from './nendb-peer.js';
export type { Peer } from './peer.js';
export { RedisPeer, redisVersion } from './redis-peer.js';
export type { DifferentialRequest } from './request.js';
export {
  compare,
  DifferenceError,
  type RunOptions,
  type RunReport,
  runDifferential,
} from './run.js';
