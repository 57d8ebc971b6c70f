/** JSON for programs: one document, keys sorted, two spaces, a newline at the end. */

/** `schema_version` of every document of `nen`; grows when a key changes its meaning or goes away. */
export const SCHEMA_VERSION = 1;

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** The document as text. Key order does not depend on who built the value. */
export function toJson(value: JsonValue): string {
  return `${JSON.stringify(sorted(value), undefined, 2)}\n`;
}

function sorted(value: JsonValue): JsonValue {
  if (value === null || typeof value !== 'object') return value;
  if (isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
