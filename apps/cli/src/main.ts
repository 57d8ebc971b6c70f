/**
 * `nen`: gives the command line (`@nendb/cli`) the real process, and attaches the server to `nen serve`.
 *
 * The exit code is set, not forced: what stdout still holds reaches the pipe before the process ends.
 * A reader that closes the pipe early (`nen … | head`) ends it quietly.
 */
import { type Output, run } from '@nendb/cli';

function output(stream: NodeJS.WriteStream): Output {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  return {
    write: (data) => {
      stream.write(data);
    },
    isTty: stream.isTTY === true,
  };
}

process.exitCode = await run(
  process.argv.slice(2),
  {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    env: process.env,
    cwd: process.cwd(),
  },
  {
    serve: async (args) => {
      const { main } = await import('@nendb/server');
      return main(args);
    },
  },
);
