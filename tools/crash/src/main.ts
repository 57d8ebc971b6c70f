#!/usr/bin/env node
/** `node tools/crash/dist/main.js --cycles N --seed S`: exit 0 if every promise was kept, else 1. */
import { parseArgs } from 'node:util';
import { runCrashCycles } from './driver.js';
import { serverScript } from './server-process.js';

const HELP = `Usage: node tools/crash/dist/main.js [options] [-- arguments for the server]

Kills a server again and again while clients write to it, and checks what it remembers.

  --cycles N    kills, not counting those during recovery [20]
  --seed S      plans, keys and values come from it [of the clock, printed]
  --clients N   connections that write [6]
  --depth N     most operations in flight of one client [8]
  --writes N    acknowledged writes before each kill [500]
  --server F    the server's script [apps/server/dist/main.js]
  --quiet       print the result only
  --help        this text
`;

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new TypeError(`--${name}: expected a whole number, got '${text}'; try --${name} 20`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      cycles: { type: 'string' },
      seed: { type: 'string' },
      clients: { type: 'string' },
      depth: { type: 'string' },
      writes: { type: 'string' },
      server: { type: 'string' },
      quiet: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const seed = number('seed', values.seed) ?? Date.now() % 0x7fffffff;
  process.stdout.write(`seed ${seed}\n`);
  const report = await runCrashCycles({
    script: values.server ?? serverScript(),
    cycles: number('cycles', values.cycles) ?? 20,
    seed,
    clients: number('clients', values.clients),
    depthMax: number('depth', values.depth),
    writesMin: number('writes', values.writes),
    args: positionals,
    log: values.quiet ? undefined : (line) => process.stdout.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
