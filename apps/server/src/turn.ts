/**
 * What happens at the end of a turn of the event loop, and when the log has synced.
 *
 * Connections that executed commands in this turn hand their replies to their gates together;
 * those whose replies must wait are remembered until the log reports. So the replies of all
 * connections of a turn share one sync, and each connection gets one write.
 *
 * Invariants
 *  1. A connection is in `#waiting` if and only if its gate holds something.
 *  2. `onDurable` releases in the order in which the connections began to wait.
 */
export interface TurnMember {
  /** Hands what was executed in this turn to the gate; returns whether the gate still holds. */
  flush(): boolean;
  /** Releases what is durable; returns whether the gate still holds. */
  release(durableLsn: number): boolean;
}

export class Turn {
  #active = new Set<TurnMember>();
  readonly #waiting = new Set<TurnMember>();
  #scheduled = false;

  /** The member executed something: it is flushed when this turn's sockets have been read. */
  join(member: TurnMember): void {
    this.#active.add(member);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#end);
  }

  leave(member: TurnMember): void {
    this.#active.delete(member);
    this.#waiting.delete(member);
  }

  durable(durableLsn: number): void {
    for (const member of this.#waiting) {
      if (!member.release(durableLsn)) this.#waiting.delete(member);
    }
  }

  readonly #end = (): void => {
    this.#scheduled = false;
    const active = this.#active;
    this.#active = new Set();
    for (const member of active) {
      if (member.flush()) this.#waiting.add(member);
    }
  };
}
