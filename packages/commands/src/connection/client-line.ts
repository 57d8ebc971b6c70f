/** One line of CLIENT LIST. Source: Redis 7.4, `catClientInfoString`; what NenDB has not is 0. */
import type { Host } from '../host.js';
import type { Session } from '../session.js';

export function clientLine(session: Session, host: Host): string {
  const nowMs = host.wallMs();
  const { queryBytes, outputBytes } = host.buffersOf(session);
  const { queue } = session;
  const fields = {
    id: session.id,
    addr: session.address,
    laddr: session.localAddress,
    fd: session.fileDescriptor,
    name: session.name,
    age: seconds(nowMs - session.connectedAtMs),
    idle: seconds(nowMs - session.activeAtMs),
    flags: flagsOf(session),
    db: session.database,
    sub: 0,
    psub: 0,
    ssub: 0,
    multi: queue === undefined ? -1 : queue.count,
    watch: session.watch?.keys ?? 0,
    qbuf: queryBytes,
    'qbuf-free': 0,
    'argv-mem': 0,
    'multi-mem': queue?.allocatedBytes ?? 0,
    rbs: 0,
    rbp: 0,
    obl: outputBytes,
    oll: 0,
    omem: outputBytes,
    'tot-mem': queryBytes + outputBytes + (queue?.allocatedBytes ?? 0),
    events: 'r',
    cmd: session.lastCommand?.fullName ?? 'NULL',
    user: session.user,
    redir: -1,
    resp: session.protocol,
    'lib-name': session.libraryName,
    'lib-ver': session.libraryVersion,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function flagsOf(session: Session): string {
  let flags = '';
  if (session.queue !== undefined) flags += 'x';
  if (session.watch?.changed() === true) flags += 'd';
  if (session.closing) flags += 'c';
  if (session.noEvict) flags += 'e';
  if (session.noTouch) flags += 'T';
  return flags === '' ? 'N' : flags;
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
