/** One turn of the real event loop: every promise job and loaded module had its chance. */
export function hostTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
