import { win32 } from 'node:path';

/** How a process is started that must not outlive this one, nor hear the Ctrl-C that is meant for this one. */
export interface SpawnStyle {
  readonly detached: boolean;
  readonly windowsHide: boolean;
}

/**
 * On POSIX it leads a process group, which can be ended as one. Windows has none: a detached process would only outlive this one. One that
 * is not detached belongs to a job of Node's, which Windows ends with this process, killed or not; and with its window hidden it has a
 * console of its own, so that the Ctrl-C of ours does not reach it.
 */
export function spawnStyle(platform: NodeJS.Platform = process.platform): SpawnStyle {
  return { detached: platform !== 'win32', windowsHide: true };
}

/** A command and its arguments. */
export interface TreeKill {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * What ends a process of Windows and all that it has started, as Node's own kill ends the one alone. By its full path: a name would be
 * looked for in the current directory first.
 */
export function treeKill(pid: number, env: Readonly<Record<string, string | undefined>>): TreeKill {
  const system = env['SystemRoot'] ?? String.raw`C:\Windows`;
  return {
    command: win32.join(system, 'System32', 'taskkill.exe'),
    args: ['/PID', String(pid), '/T', '/F'],
  };
}
