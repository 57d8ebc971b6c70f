/** A file has one idea, and no idea needs more than this. */
import type { Check } from '../violation.js';

/** Most files stay under 300; beyond this one, a reader can no longer hold the file in mind. */
export const LINES_MAX = 450;

export const fileLength: Check = {
  name: 'file-length',
  run(tree) {
    return [...tree]
      .filter(([path]) => /\.(?:ts|mts|js|mjs)$/.test(path))
      .map(([path, text]) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > LINES_MAX)
      .map(({ path, lines }) => ({
        check: 'file-length',
        path,
        message: `expected at most ${LINES_MAX} lines, got ${lines}: split it by idea`,
      }));
  },
};
