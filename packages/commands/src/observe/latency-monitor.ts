/**
 * Events that took longer than the threshold: of each event the last 160 seconds in which one did, with
 * the longest of that second. Source: Redis 7.0, `latency.c`.
 */
const SAMPLES_MAX = 160;

export interface LatencySample {
  atSeconds: number;
  ms: number;
}

export interface LatencyEvent {
  samples: LatencySample[];
  mostMs: number;
}

export class LatencyMonitor {
  readonly events = new Map<string, LatencyEvent>();

  add(name: string, atSeconds: number, ms: number): void {
    let event = this.events.get(name);
    if (event === undefined) {
      event = { samples: [], mostMs: 0 };
      this.events.set(name, event);
    }
    event.mostMs = Math.max(event.mostMs, ms);
    const last = event.samples.at(-1);
    if (last?.atSeconds === atSeconds) {
      last.ms = Math.max(last.ms, ms);
      return;
    }
    event.samples.push({ atSeconds, ms });
    if (event.samples.length > SAMPLES_MAX) event.samples.shift();
  }

  /** Forgets the events of these names, or all; returns how many there were. */
  reset(names: readonly string[]): number {
    if (names.length > 0) return names.filter((name) => this.events.delete(name)).length;
    const { size } = this.events;
    this.events.clear();
    return size;
  }
}
