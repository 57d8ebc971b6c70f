/** What a table gives to other threads, as it is posted. */
import { DashError } from '../errors.js';
import type { Space } from '../space/space.js';

export interface DashHandle {
  readonly kind: 'nendb-dash';
  readonly region: unknown;
  readonly epochs: unknown;
  readonly table: number;
  readonly pieceBytes: number;
}

/** Post `handle` with `transfer` to one other thread, there `DashReader.attach(handle)`. */
export interface DashShare {
  readonly handle: DashHandle;
  readonly transfer: readonly unknown[];
}

export function shareTable(space: Space, table: number): DashShare {
  const region = space.region.share();
  space.watched = true;
  const epochs = space.epochs.share();
  const { pieceBytes } = space.log.reader;
  return {
    handle: {
      kind: 'nendb-dash',
      region: region.handle,
      epochs: epochs.handle,
      table,
      pieceBytes,
    },
    transfer: [...region.transfer, ...epochs.transfer],
  };
}

export function checkHandle(handle: unknown): DashHandle {
  if (typeof handle === 'object' && handle !== null && 'kind' in handle) {
    if (handle.kind === 'nendb-dash') return handle as DashHandle;
  }
  throw new DashError(
    'DASH_BAD_OPTION',
    'expected the handle that share() gave, got something else: post it with its transfer list',
  );
}
