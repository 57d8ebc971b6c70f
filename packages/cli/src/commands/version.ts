/** `nen version`: which program this is and what it runs on. */
import { createRequire } from 'node:module';
import type { CommandHandler } from '../command.js';
import { ExitCode } from '../errors.js';
import { SCHEMA_VERSION, toJson } from '../output/json.js';

export const handler: CommandHandler = async ({ io, json }) => {
  const nendb = packageVersion();
  const { node } = process.versions;
  const platform = `${process.platform}-${process.arch}`;
  if (json) {
    io.stdout.write(toJson({ schema_version: SCHEMA_VERSION, nendb, node, platform }));
  } else {
    io.stdout.write(`nen ${nendb} (node ${node}, ${platform})\n`);
  }
  return ExitCode.ok;
};

/** The version in this package's package.json, two folders up in source and in the built tree. */
function packageVersion(): string {
  const manifest: { version: string } = createRequire(import.meta.url)('../../package.json');
  return manifest.version;
}
