/** A `Vfs` that passes everything on to another, but for what `overrides` does differently. */
import type { Vfs, VfsFile } from '@nendb/vfs';

export function delegateVfs(vfs: Vfs, overrides: Partial<Vfs>): Vfs {
  return {
    clock: vfs.clock,
    timers: vfs.timers,
    random: vfs.random,
    executor: vfs.executor,
    open: (path, mode) => vfs.open(path, mode),
    openSync: (path, mode) => vfs.openSync(path, mode),
    rename: (from, to) => vfs.rename(from, to),
    renameSync: (from, to) => vfs.renameSync(from, to),
    unlink: (path) => vfs.unlink(path),
    unlinkSync: (path) => vfs.unlinkSync(path),
    mkdir: (path) => vfs.mkdir(path),
    mkdirSync: (path) => vfs.mkdirSync(path),
    readdir: (path) => vfs.readdir(path),
    readdirSync: (path) => vfs.readdirSync(path),
    stat: (path) => vfs.stat(path),
    statSync: (path) => vfs.statSync(path),
    syncDir: (path) => vfs.syncDir(path),
    syncDirSync: (path) => vfs.syncDirSync(path),
    freeBytes: (path) => vfs.freeBytes(path),
    freeBytesSync: (path) => vfs.freeBytesSync(path),
    lock: (path) => vfs.lock(path),
    inspectLock: (path) => vfs.inspectLock(path),
    ...overrides,
  };
}

export function delegateFile(file: VfsFile, overrides: Partial<VfsFile>): VfsFile {
  return {
    path: file.path,
    readAt: (target, position) => file.readAt(target, position),
    readAtSync: (target, position) => file.readAtSync(target, position),
    writeAt: (source, position) => file.writeAt(source, position),
    writeAtSync: (source, position) => file.writeAtSync(source, position),
    truncate: (length) => file.truncate(length),
    truncateSync: (length) => file.truncateSync(length),
    sync: (options) => file.sync(options),
    syncSync: (options) => file.syncSync(options),
    size: () => file.size(),
    sizeSync: () => file.sizeSync(),
    close: () => file.close(),
    closeSync: () => file.closeSync(),
    ...overrides,
  };
}
