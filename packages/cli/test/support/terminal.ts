/** Runs `nen` in this process with buffers for streams. */
import { type RunOptions, run } from '../../src/index.js';

export interface Outcome {
  code: number;
  stdout: string;
  stdoutBytes: Buffer;
  stderr: string;
}

export interface Setting {
  env?: Record<string, string>;
  cwd?: string;
  tty?: boolean;
  serve?: RunOptions['serve'];
}

/** One call of `nen` with `argv`; whatever it printed and its exit code. */
export async function nen(argv: readonly string[], setting: Setting = {}): Promise<Outcome> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const stream = (parts: Buffer[]) => ({
    write: (data: string | Uint8Array) => {
      parts.push(Buffer.from(data));
    },
    isTty: setting.tty ?? false,
  });
  const io = {
    stdout: stream(out),
    stderr: stream(err),
    env: setting.env ?? {},
    cwd: setting.cwd ?? '/nonexistent',
  };
  const code = await run(argv, io, { serve: setting.serve });
  const stdoutBytes = Buffer.concat(out);
  return {
    code,
    stdout: stdoutBytes.toString('utf8'),
    stdoutBytes,
    stderr: Buffer.concat(err).toString('utf8'),
  };
}
