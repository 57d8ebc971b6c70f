/** Makes a round that shows a difference shorter: what people get to read. */
import type { DifferentialRequest } from './request.js';
import { type Mismatch, type Peers, runRound } from './round.js';

/** Leaves out parts of halving length as long as what is left still shows a difference. */
export async function reduced(
  peers: Peers,
  protocol: 2 | 3,
  round: readonly DifferentialRequest[],
  found: Mismatch,
): Promise<{ mismatch: Mismatch; shortest: readonly DifferentialRequest[] }> {
  let shortest = round;
  let mismatch = found;
  for (let length = Math.ceil(round.length / 2); length >= 1; length = Math.floor(length / 2)) {
    for (let from = 0; from < shortest.length; ) {
      const shorter = [...shortest.slice(0, from), ...shortest.slice(from + length)];
      const result = await runRound(peers, protocol, shorter);
      if (result.mismatch === undefined) {
        from += length;
      } else {
        shortest = shorter;
        mismatch = result.mismatch;
      }
    }
  }
  return { mismatch, shortest };
}
