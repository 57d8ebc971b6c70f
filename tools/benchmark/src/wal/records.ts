/** What is appended. */
export const KB = Buffer.alloc(1024, 'k');
export const SMALL = Buffer.alloc(100, 's');
export const THOUSAND = Array.from({ length: 1000 }, () => KB);
