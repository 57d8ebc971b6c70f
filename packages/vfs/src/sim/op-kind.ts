/** What programs ask of a `Vfs`, as far as it can fail. `open` is for files that exist. */
export const OP_KINDS = [
  'open',
  'create',
  'read',
  'write',
  'truncate',
  'sync',
  'size',
  'rename',
  'unlink',
  'mkdir',
  'readdir',
  'stat',
  'syncDir',
  'freeBytes',
  'lock',
] as const;

export type OpKind = (typeof OP_KINDS)[number];

/** The operations that can take effect although they report an error. Syncs have modes of their own. */
export const EFFECT_OP_KINDS = [
  'create',
  'write',
  'truncate',
  'rename',
  'unlink',
  'mkdir',
] as const satisfies readonly OpKind[];
