/** Simulated persistent memory, as an entry of its own: production code does not load it. */
import { Region } from '../region.js';
import { SimPmem, type SimPmemOptions } from './sim-pmem.js';

export {
  type CrashChoice,
  type CrashChoices,
  type CrashImage,
  type CrashMoment,
  CrashPoint,
} from './crash-point.js';
export { SimPmem, type SimPmemOptions, type SimReport } from './sim-pmem.js';

/**
 * A region on simulated memory, new or on a crash image; the uuid of a new one is zeros, so that runs
 * repeat. Crash points during the open itself are reported too.
 */
export function openSim(options: SimPmemOptions): { sim: SimPmem; region: Region } {
  const sim = new SimPmem(options);
  return { sim, region: Region.on(sim, { uuid: () => new Uint8Array(16) }) };
}
