/**
 * Loaded before the server (`node --import`): SIGTERM comes when the process opens the first file of
 * its data directory, which is before recovery has begun.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

let sent = false;

function wrap(target, name) {
  const real = target[name];
  target[name] = function (path, ...rest) {
    if (!sent && String(path).includes('/data/')) {
      sent = true;
      process.kill(process.pid, 'SIGTERM');
    }
    return real.call(this, path, ...rest);
  };
}

wrap(fs, 'open');
wrap(fs, 'openSync');
wrap(fs.promises, 'open');
syncBuiltinESMExports();
