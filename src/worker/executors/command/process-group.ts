import type { ChildProcess } from 'node:child_process';

/** Leaders of groups that must not outlive this process. */
const groups = new Set<ChildProcess>();
let watching = false;

/** A process leads a group of its own where there are such: its data loaders end with it, and a terminal's Ctrl-C is not its own. */
export const OWN_GROUP = process.platform !== 'win32';

/** Kills a process and all that it started. Harmless when they are gone. */
export function killGroup(leader: ChildProcess): void {
  const { pid } = leader;
  if (pid === undefined) return;
  try {
    if (OWN_GROUP) process.kill(-pid, 'SIGKILL');
    else leader.kill('SIGKILL');
  } catch {
    // Nobody is left.
  }
}

/** Kills the group when this process exits, whatever the reason; only a SIGKILL to this process gets by, and closes its pipes. */
export function endWithUs(leader: ChildProcess): void {
  groups.add(leader);
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const group of groups) killGroup(group);
  });
}

/** The group is gone. */
export function forget(leader: ChildProcess): void {
  groups.delete(leader);
}
