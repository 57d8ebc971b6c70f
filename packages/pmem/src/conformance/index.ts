/** What every region must do. */
export interface ConformanceOptions {
  test(name: string, body: () => Promise<void>): void;
}
