/** The house checks itself: each check looks at the whole tree and names what it minds. */
import { bannedCalls } from './checks/banned-calls.js';
import { deadFiles } from './checks/dead-files.js';
import { fileLength } from './checks/file-length.js';
import { layering } from './checks/layering.js';
import { readmes } from './checks/readmes.js';
import { rules } from './checks/rules.js';
import { words } from './checks/words.js';
import type { Check } from './violation.js';

export { LAYERS } from './layers.js';
export { mask } from './mask.js';
export { readTree, type Tree } from './tree.js';
export { type Check, formatViolation, type Violation } from './violation.js';

export const CHECKS: readonly Check[] = [
  layering,
  bannedCalls,
  readmes,
  deadFiles,
  fileLength,
  words,
  rules,
];
