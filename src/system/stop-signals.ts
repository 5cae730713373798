/** Signals that ask a program to end, and its exit code then: by convention 128 + the signal's number. */
export type StopSignals = Readonly<Partial<Record<NodeJS.Signals, number>>>;

const POSIX: StopSignals = { SIGINT: 130, SIGTERM: 143 };
/**
 * Windows has no signals between processes; these come from the console: Ctrl-C, Ctrl-Break, and the window that is closed, after which
 * some seconds are left. Nothing can send SIGTERM there, but listening to it harms nobody.
 */
const WINDOWS: StopSignals = { ...POSIX, SIGBREAK: 149, SIGHUP: 129 };

/**
 * What ends a program. Elsewhere than on Windows SIGHUP keeps the meaning that the system gives it: under `nohup` it is ignored, and a
 * listener would undo that.
 */
export function stopSignals(platform: NodeJS.Platform = process.platform): StopSignals {
  return platform === 'win32' ? WINDOWS : POSIX;
}

/** Leaves all of them to somebody else: a child on the same console gets what its parent gets, and the parent decides. */
export function ignoreStopSignals(platform: NodeJS.Platform = process.platform): void {
  for (const signal of Object.keys(stopSignals(platform)) as NodeJS.Signals[])
    process.on(signal, () => undefined);
}
