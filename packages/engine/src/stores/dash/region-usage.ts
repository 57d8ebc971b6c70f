/** What the region is used for, as people are told it. */
import type { RegionUsage } from '../store.js';
import type { Tables } from './tables.js';

export function usageOf({ region, space }: Tables): RegionUsage {
  const { bytesMax, allocatedBytes, footprintBytes, fragmentation } = region.stats;
  const { liveBytes, garbageBytes } = space.stats;
  return {
    backend: region.backend,
    bytesMax,
    allocatedBytes,
    footprintBytes,
    liveBytes,
    garbageBytes,
    fragmentation,
  };
}
