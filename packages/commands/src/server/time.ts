/** TIME: wall clock in seconds and microseconds. */
import type { Call } from '../dispatch/call.js';

export function time(call: Call) {
  const wallUs = Math.floor(call.environment.host.wallMs() * 1000);
  call.reply.array(2);
  call.reply.text(String(Math.floor(wallUs / 1_000_000)));
  call.reply.text(String(wallUs % 1_000_000));
}
