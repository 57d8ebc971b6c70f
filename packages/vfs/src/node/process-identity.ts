/**
 * Who a process is, so that a reused pid is told apart, and whether a recorded owner still lives.
 *
 * Linux gives start time, boot id and pid namespace under /proc. Elsewhere they are empty strings
 * and a pid alone decides.
 */
import fs from 'node:fs';
import os from 'node:os';
import type { LockOwner } from '../vfs.js';

/** This process. */
export function currentOwner(): LockOwner {
  return {
    pid: process.pid,
    startTicks: processStat('self')?.startTicks ?? '',
    bootId: readText('/proc/sys/kernel/random/boot_id'),
    pidNamespace: readPidNamespace(),
    host: os.hostname(),
  };
}

/**
 * Whether `owner` may still be alive, as `self` sees it. Errs on the side of life: an owner in
 * another pid namespace, or on another machine that shares the disk, counts as alive.
 */
export function mayBeAlive(owner: LockOwner, self: LockOwner): boolean {
  // Another boot of this machine took every process of the last one with it.
  if (owner.bootId !== self.bootId) return owner.host !== self.host;
  if (owner.pidNamespace !== self.pidNamespace) return true;
  const stat = processStat(String(owner.pid));
  // No /proc, or one that hides the processes of others.
  if (stat === undefined) return pidExists(owner.pid);
  return stat.state !== 'Z' && stat.startTicks === owner.startTicks;
}

/** Whether `owner` is a process that `self` can see, and lives: no doubt about it. */
export function isAlive(owner: LockOwner, self: LockOwner): boolean {
  const visible = owner.bootId === self.bootId && owner.pidNamespace === self.pidNamespace;
  return visible && mayBeAlive(owner, self);
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** State and start time from proc_pid_stat(5): fields 3 and 22, behind the name in parentheses. */
function processStat(pid: string): { state: string; startTicks: string } | undefined {
  const text = readText(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.length < 20 ? undefined : { state: fields[0], startTicks: fields[19] };
}

function readPidNamespace(): string {
  try {
    return fs.readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}
