/** Random histories for the world, long ones: a plan says what kind, a seed says which. */
import { random } from '../random.js';
import { World } from './world.js';

export interface Plan {
  seed: number;
  operations: number;
  /** How many different keys there are. */
  keys: number;
  /** Longest value in bytes; long ones are rare. */
  valueBytesMax: number;
  /** Of 100 writes so many are deletes. */
  deletesPercent: number;
  tablesMax: number;
  chunkBytes: number;
  images: boolean;
}

export function runPlan(plan: Plan): void {
  const next = random(plan.seed);
  const world = new World({
    bytesMax: 64 * 1024 * 1024,
    chunkBytes: plan.chunkBytes,
    seed: [next(2 ** 32), next(2 ** 32)],
  });
  const source = Buffer.from(Array.from({ length: 256 }, () => next(256)));
  const key = () => {
    const number = next(plan.keys);
    // Lengths from 1 up, a few long; the same number always gives the same key.
    return `${number}`.padEnd(1 + (number % 23) + (number % 997 === 0 ? 3000 : 0), 'k');
  };
  const length = () => (next(50) === 0 ? next(plan.valueBytesMax) : next(120));
  const value = () => {
    const bytes = Buffer.alloc(length());
    const from = next(256);
    for (let i = 0; i < bytes.length; i++) bytes[i] = source[(from + i) & 255];
    return bytes;
  };
  for (let i = 0; i < plan.operations; i++) {
    const which = next(plan.tablesMax);
    const kind = next(1000);
    if (kind < 550) {
      if (next(100) < plan.deletesPercent) world.delete(which, key());
      else world.set(which, key(), value(), next(4), next(3) === 0 ? 1e12 + next(1e9) : 0);
    } else if (kind < 900) world.get(which, key());
    else if (kind < 930) world.remark(which, key(), next(256), next(2) * 1e13);
    else if (kind < 950) {
      const bytes = value();
      const at = next(300);
      world.patch(which, key(), at, bytes, at + bytes.length + next(100));
    } else if (kind < 960) world.sample(which, next(1000) / 1000);
    else if (kind < 980) world.scan(which, 1 + next(200));
    else if (kind < 990) {
      if (plan.images) world.image(1 + next(500));
    } else if (kind < 995) world.maintain(next(500));
    else if (kind < 997) world.create(plan.tablesMax);
    else if (kind < 998) world.free(which);
    else if (kind === 998 && next(20) === 0) world.clear(which);
  }
  world.check();
  world.settle();
  world.check();
}
