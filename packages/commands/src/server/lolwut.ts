/** LOLWUT: a skyline of its own each time, and the version. Source: the spirit of Redis's. */
import type { Call } from '../dispatch/call.js';
import { NENDB_VERSION, REDIS_VERSION } from '../version.js';

const WIDTH = 60;
const HEIGHT = 10;
const TOWER_WIDTH_MAX = 8;

export function lolwut(call: Call) {
  const { random } = call.environment.engine;
  const roll = (below: number) => Math.floor(random.call(call.environment.engine) * below);
  const heights: number[] = [];
  while (heights.length < WIDTH) {
    const tower = 1 + roll(HEIGHT - 1);
    for (let width = 2 + roll(TOWER_WIDTH_MAX); width > 0; width--) heights.push(tower);
    heights.push(0);
  }
  let text = '';
  for (let row = HEIGHT; row > 0; row--) {
    const line = heights.slice(0, WIDTH).map((height) => {
      if (height < row) return ' ';
      return height === row || roll(3) > 0 ? '#' : '.';
    });
    text += `${line.join('').trimEnd()}\n`;
  }
  text += `\nRedis ver. ${REDIS_VERSION}, NenDB ver. ${NENDB_VERSION}\n`;
  call.reply.verbatim('txt', text);
}
