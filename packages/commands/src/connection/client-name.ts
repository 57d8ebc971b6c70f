/** Names that a client may give itself or its library: printable ASCII without spaces. */
import type { Call } from '../dispatch/call.js';

const FIRST = 0x21;
const LAST = 0x7e;

/** Whether argument `index` may be a client's name; CLIENT LIST would be unreadable otherwise. */
export function isClientName(call: Call, index: number): boolean {
  for (let i = call.starts[index]; i < call.ends[index]; i++) {
    if (call.bytes[i] < FIRST || call.bytes[i] > LAST) return false;
  }
  return true;
}
