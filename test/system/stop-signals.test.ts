import { onTestFinished, describe, expect, it } from 'vitest';
import { ignoreStopSignals, stopSignals } from '../../src/system/stop-signals.js';

describe('what asks a program to end', () => {
  it.each(['linux', 'darwin'] as const)(
    'is SIGINT or SIGTERM on %s, and SIGHUP is left alone',
    (platform) => {
      expect(stopSignals(platform)).toEqual({ SIGINT: 130, SIGTERM: 143 });
    },
  );

  it('is Ctrl-Break and a closed window as well on Windows', () => {
    expect(stopSignals('win32')).toEqual({ SIGINT: 130, SIGTERM: 143, SIGBREAK: 149, SIGHUP: 129 });
  });

  it('ends no child that leaves the decision to its parent', () => {
    const names = ['SIGINT', 'SIGTERM', 'SIGBREAK', 'SIGHUP'] as const;
    const before = new Map(names.map((name) => [name, process.listeners(name)]));
    onTestFinished(() => {
      for (const name of names)
        for (const listener of process.listeners(name))
          if (before.get(name)?.includes(listener) !== true) process.off(name, listener);
    });
    ignoreStopSignals('win32');
    for (const name of names) expect(process.listenerCount(name)).toBe((before.get(name)?.length ?? 0) + 1);
  });
});
