/**
 * A status document for people: a headline, then every value under its section. Nothing is left out
 * and nothing is computed, so that the text and the JSON cannot disagree (fractions are rounded).
 */
import type { StatusDocument } from '../status-document.js';
import type { Colors } from './colors.js';
import type { JsonValue } from './json.js';

/** In the order a person asks; sections that came later follow in their own order. */
const SECTIONS = ['server', 'store', 'wal_health', 'snapshot', 'resources'];
const DECIMALS = 3;
const HEADLINE_KEYS = new Set(['schema_version', 'running', 'healthy', 'reason']);

/** The document as lines, each ended by a newline. */
export function formatStatus(document: StatusDocument, colors: Colors): string {
  const verdict = document.healthy ? colors.green('healthy') : colors.red('not healthy');
  const reason = typeof document.reason === 'string' ? `: ${document.reason}` : '';
  const lines = [`${verdict}, ${document.running ? 'running' : 'stopped'}${reason}`];
  const others = Object.keys(document).filter(
    (key) => !HEADLINE_KEYS.has(key) && !SECTIONS.includes(key),
  );
  for (const section of [...SECTIONS, ...others]) {
    const value = document[section];
    if (value === undefined) continue;
    if (value === null || typeof value !== 'object') {
      lines.push('', `${colors.bold(section)}  ${scalar(value)}`);
      continue;
    }
    lines.push('', colors.bold(section));
    const rows = flatten(value, '');
    const width = Math.max(0, ...rows.map(([key]) => key.length));
    for (const [key, text] of rows) {
      lines.push(`  ${key}${' '.repeat(width - key.length)}  ${text}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Nested keys joined with dots. */
function flatten(value: JsonValue, path: string): [string, string][] {
  if (value === null || typeof value !== 'object') return [[path, scalar(value)]];
  return Object.entries(value).flatMap(([key, member]) =>
    flatten(member, path === '' ? key : `${path}.${key}`),
  );
}

function scalar(value: JsonValue): string {
  if (value === null) return '-';
  if (typeof value === 'number') return String(Number(value.toFixed(DECIMALS)));
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}
