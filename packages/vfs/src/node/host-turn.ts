/** The real event loop, for the simulator: it has to let promise jobs and loading modules happen. */

/** One turn: every promise job has run, and every callback that was ready. */
export function hostTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Real time, in ms. */
export function hostPause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
