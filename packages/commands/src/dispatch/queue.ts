/** What a client has queued between MULTI and EXEC, bounded in bytes. */
import { QUEUED_ARGUMENT_BYTES, QUEUED_REQUEST_BYTES } from '../limits.js';
import type { Command } from '../table/row.js';
import { argumentBytes, OwnedRequest, type Request } from './request.js';

export interface QueuedCommand {
  readonly command: Command;
  readonly request: OwnedRequest;
}

export class TransactionQueue {
  readonly commands: QueuedCommand[] = [];
  /** A command was refused while queueing: EXEC will refuse them all. */
  failed = false;
  /** Whether any of them may change data. */
  writes = false;
  /** What the queue holds, overhead included. */
  bytes = 0;

  /** Copies the request; `false` where the queue would then hold more than `bytesMax`. */
  add(command: Command, request: Request, bytesMax: number): boolean {
    const cost =
      argumentBytes(request) + request.argc * QUEUED_ARGUMENT_BYTES + QUEUED_REQUEST_BYTES;
    if (this.bytes + cost > bytesMax) return false;
    this.bytes += cost;
    this.writes ||= command.isWrite;
    this.commands.push({ command, request: OwnedRequest.copyOf(request) });
    return true;
  }

  /** Refuses the transaction from here on and gives its memory back. */
  fail(): void {
    this.failed = true;
    this.commands.length = 0;
    this.bytes = 0;
  }
}
