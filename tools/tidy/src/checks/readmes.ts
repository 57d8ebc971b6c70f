/** Every package, app and tool says what it is; what is published shows a program that uses it. */
import { packagesOf } from '../packages.js';
import type { Check, Violation } from '../violation.js';

export const readmes: Check = {
  name: 'readmes',
  run(tree) {
    return packagesOf(tree).flatMap(({ dir, name }): Violation[] => {
      const path = `${dir}/README.md`;
      const text = tree.get(path);
      const violation = (message: string) => [{ check: 'readmes', path, message }];
      if (text === undefined) return violation(`expected a README for ${name}, got none: write it`);
      const headings = dir.startsWith('tools/') ? [name, dir] : [name];
      if (!headings.some((heading) => text.startsWith(`# ${heading}\n`))) {
        return violation(
          `expected the heading "# ${headings.join('" or "# ')}", got ${JSON.stringify(text.split('\n')[0])}`,
        );
      }
      if (dir.startsWith('packages/') && !/^```(?:ts|js)\n/m.test(text)) {
        return violation('expected an example in a block of ```ts, got none: show a whole program');
      }
      return [];
    });
  },
};
