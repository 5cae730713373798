import { describe, expect, it } from 'vitest';
import { spawnStyle, treeKill } from '../../src/system/process-tree.js';

describe('a process that must not outlive this one', () => {
  it.each(['linux', 'darwin'] as const)('leads a group of its own on %s', (platform) => {
    expect(spawnStyle(platform).detached).toBe(true);
  });

  it('stays in the job that Windows ends with us, with a console of its own', () => {
    expect(spawnStyle('win32')).toEqual({ detached: false, windowsHide: true });
  });

  it("is ended with what it has started by the system's own program, not by one of that name that lies about", () => {
    const args = ['/PID', '77', '/T', '/F'];
    expect(treeKill(77, { SystemRoot: String.raw`D:\Win` })).toEqual({
      command: String.raw`D:\Win\System32\taskkill.exe`,
      args,
    });
    expect(treeKill(77, {})).toEqual({ command: String.raw`C:\Windows\System32\taskkill.exe`, args });
  });
});
