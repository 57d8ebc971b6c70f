/**
 * A server with just the commands that the crash driver sends and a log of JSON lines, honest or
 * with one planted bug (`--bug NAME`), each of which the driver must find.
 *
 *     lose     acknowledges before the log is written
 *     tear     writes EXEC to the log one command at a time
 *     double   counts the increments of shared counters twice when it replays
 *     invent   comes back with a key that nobody wrote
 *     corrupt  comes back with a changed byte
 *     lie      answers INCR with a number that is one too low, now and then
 *     refuse   does not start on what it wrote itself
 *     quit     stops in the middle of its work
 *     unclean  exits with 1 on SIGTERM
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { ReplyWriter, RequestParser } from '@nendb/resp';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string' },
    dir: { type: 'string' },
    sync: { type: 'string' },
    'segment-bytes': { type: 'string' },
    'snapshot-log-bytes': { type: 'string' },
    bug: { type: 'string' },
  },
});
const bug = options.bug;
const wal = `${options.dir}/wal`;
const linesPerSegment = 40;
const linesHeldBack = bug === 'lose' ? 64 : 1;
const pause = new Int32Array(new SharedArrayBuffer(4));

const data = new Map();
const held = [];
let lines = 0;
let file;

mkdirSync(wal, { recursive: true });
const segments = readdirSync(wal).sort();
if (bug === 'refuse' && segments.length > 0) {
  process.stderr.write('this log is not to my liking\n');
  process.exit(3);
}
for (const name of segments) {
  for (const line of readFileSync(`${wal}/${name}`, 'latin1').split('\n').slice(0, -1)) {
    const commands = JSON.parse(line);
    for (const command of commands) execute(command);
    if (bug !== 'double') continue;
    for (const [name, key] of commands) if (key.startsWith('shared')) execute([name, key]);
  }
}
if (segments.length > 0) {
  if (bug === 'invent') data.set('ghost', 'boo');
  if (bug === 'corrupt') {
    const [key, value] = [...data].find(([name]) => name.includes(':b')) ?? [];
    data.set(key, String(value).replace('~x', '~y'));
  }
}
let sequence = segments.length;
openSegment();

function openSegment() {
  if (file !== undefined) closeSync(file);
  file = openSync(`${wal}/${String(++sequence).padStart(16, '0')}.wal`, 'ax');
}

function log(commands) {
  const parts = bug === 'tear' ? commands.map((command) => [command]) : [commands];
  parts.forEach((part, i) => {
    if (i > 0) Atomics.wait(pause, 0, 0, 2);
    held.push(`${JSON.stringify(part)}\n`);
    if (held.length < linesHeldBack) return;
    writeSync(file, held.splice(0).join(''), null, 'latin1');
  });
  if (++lines % linesPerSegment === 0) openSegment();
}

function execute([name, key, ...rest]) {
  switch (name) {
    case 'SET':
      data.set(key, rest[0]);
      return { simple: 'OK' };
    case 'INCR':
      data.set(key, String(Number(data.get(key) ?? 0) + 1));
      return Number(data.get(key));
    case 'HSET': {
      const fields = data.get(key) ?? new Map();
      const before = fields.size;
      for (let i = 0; i < rest.length; i += 2) fields.set(rest[i], rest[i + 1]);
      data.set(key, fields);
      return fields.size - before;
    }
    case 'DEL':
      return [key, ...rest].filter((each) => data.delete(each)).length;
    case 'GET':
      return data.get(key) ?? null;
    case 'HGETALL':
      return [...(data.get(key) ?? [])].flat();
    case 'TYPE':
      return { simple: data.get(key) instanceof Map ? 'hash' : 'string' };
    case 'DBSIZE':
      return data.size;
    case 'SCAN':
      return ['0', [...data.keys()]];
    case 'BGSAVE': {
      const image = `${options.dir}/nendb.snapshot.00.tmp`;
      writeFileSync(image, '');
      setTimeout(() => rmSync(image, { force: true }), 20);
      return { simple: 'Background saving started' };
    }
    default:
      return { error: `ERR unknown command '${name}'` };
  }
}

const WRITES = new Set(['SET', 'INCR', 'HSET', 'DEL']);
let answered = 0;

function answer(writer, reply) {
  if (reply === null) writer.null();
  else if (typeof reply === 'number') writer.integer(reply);
  else if (typeof reply === 'string') writer.text(reply);
  else if (reply.simple) writer.simple(reply.simple);
  else if (reply.error) writer.error(reply.error);
  else {
    writer.array(reply.length);
    for (const each of reply) answer(writer, each);
  }
}

function run(commands) {
  const replies = commands.map(execute);
  const writes = commands.filter(([name]) => WRITES.has(name));
  if (writes.length > 0) log(writes);
  answered++;
  if (bug === 'quit' && answered > 300) process.exit(0);
  if (bug !== 'lie' || answered % 7 !== 0) return replies;
  return replies.map((reply, i) =>
    commands[i][0] === 'INCR' && commands[i][1].includes(':n') ? reply - 1 : reply,
  );
}

const server = createServer((socket) => {
  const parser = new RequestParser();
  const writer = new ReplyWriter();
  let queued;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    parser.push(chunk);
    while (parser.next()) {
      const words = Array.from({ length: parser.argc }, (_, i) =>
        parser.bytes.toString('latin1', parser.starts[i], parser.ends[i]),
      );
      if (words[0] === 'MULTI') {
        queued = [];
        writer.simple('OK');
      } else if (words[0] === 'EXEC') {
        answer(writer, run(queued));
        queued = undefined;
      } else if (queued) {
        queued.push(words);
        writer.simple('QUEUED');
      } else {
        answer(writer, run([words])[0]);
      }
    }
    socket.write(writer.take());
  });
});
server.listen(Number(options.port), '127.0.0.1', () => {
  process.stdout.write(`ready redis://127.0.0.1:${server.address().port}\n`);
});
process.on('SIGTERM', () => process.exit(bug === 'unclean' ? 1 : 0));
