#!/usr/bin/env node
/** `node tools/differential/dist/main.js --requests N --seed S`: exit 0 if nothing differs unexplained. */
import { parseArgs } from 'node:util';
import { redisVersion } from './redis-peer.js';
import { runDifferential } from './run.js';

const HELP = `Usage: node tools/differential/dist/main.js [options]

Sends the same random commands to NenDB and to a redis-server, and compares what they answer.

  --requests N  requests to compare [100000]
  --seed S      what the requests come from [of the clock, printed]
  --store NAME  the engine's store [its default]
  --counts      print how often each command and option was answered without an error
  --help        this text
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '100000' },
      seed: { type: 'string' },
      store: { type: 'string' },
      counts: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  if (redisVersion() === undefined) {
    throw new Error('expected a redis-server to compare with, there is none: install it');
  }
  const seed = Number(values.seed ?? Date.now() % 0x7fffffff);
  process.stdout.write(`seed ${seed}\n`);
  const report = await runDifferential({
    requests: Number(values.requests),
    seed,
    store: values.store,
    log: (line) => process.stdout.write(`${line}\n`),
  });
  const { coverage, explained, ...sums } = report;
  process.stdout.write(`${JSON.stringify(sums)}\n`);
  for (const { reason, times } of explained) process.stdout.write(`${times} times: ${reason}\n`);
  if (!values.counts) return;
  for (const [unit, count] of coverage) process.stdout.write(`${count}\t${unit}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
