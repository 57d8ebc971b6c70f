/** Addresses of peers and of the server, as text. */

/** Whether an address is of this machine's loopback: 127.0.0.0/8, ::1, or the former mapped. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./i.test(address);
}

const WILDCARDS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };

/** Where a local client reaches a server that listens on `address`. */
export function redisUrl(address: string, port: number): string {
  const host = WILDCARDS[address] ?? (address.includes(':') ? `[${address}]` : address);
  return `redis://${host}:${port}`;
}
