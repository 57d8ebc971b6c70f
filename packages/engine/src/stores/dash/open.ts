/** Makes the store in memory of the process. */
import { Region } from '@nendb/pmem';
import type { EngineSettings } from '../../options.js';
import { DashStore } from './dash-store.js';

/** An empty store in a region of `regionBytes`. Throws `PMEM_EXHAUSTED` where the system refuses it. */
export async function openDashStore({ regionBytes, vfs }: EngineSettings): Promise<DashStore> {
  return new DashStore(await Region.open({ backend: 'heap', bytesMax: regionBytes, vfs }));
}
