/** Whether to colour: `NO_COLOR` says no, `FORCE_COLOR` says yes, else only a terminal gets colours. */
import colors from 'picocolors';
import type { Io, Output } from '../io.js';

export type Colors = ReturnType<typeof colors.createColors>;

/** Colours for `output` (https://no-color.org: any value but the empty one counts). */
export function colorsFor(io: Io, output: Output): Colors {
  const forced = io.env.FORCE_COLOR !== undefined && !['', '0'].includes(io.env.FORCE_COLOR);
  const refused = io.env.NO_COLOR !== undefined && io.env.NO_COLOR !== '';
  return colors.createColors(!refused && (forced || (output.isTty && io.env.TERM !== 'dumb')));
}
