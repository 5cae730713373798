import { onTermination } from 'antenna-sdk';
import { describe, expect, it, onTestFinished } from 'vitest';
import { onPlatform } from '../../support/platform.js';

/** What was asked for since it began to listen. */
function listening(): { readonly asked: string[]; readonly unlisten: () => void } {
  const asked: string[] = [];
  const { exitCode } = process;
  const unlisten = onTermination({
    graceful: (signal) => asked.push(`graceful ${signal}`),
    immediate: (signal) => asked.push(`immediate ${signal}`),
  });
  onTestFinished(() => {
    unlisten();
    process.exitCode = exitCode;
  });
  return { asked, unlisten };
}
const emit = (signal: NodeJS.Signals): boolean => process.emit(signal, signal);

describe('onTermination', () => {
  it('asks for a graceful stop at the first signal and an immediate one at the second, which the exit code reports', () => {
    onPlatform('linux');
    const { asked } = listening();
    emit('SIGTERM');
    expect(process.exitCode).not.toBe(143);
    emit('SIGINT');
    expect(asked).toEqual(['graceful SIGTERM', 'immediate SIGINT']);
    expect(process.exitCode).toBe(130);
  });

  it('stops at Ctrl-Break, and at a closed window, on Windows', () => {
    onPlatform('win32');
    const { asked } = listening();
    emit('SIGBREAK');
    emit('SIGHUP');
    expect(asked).toEqual(['graceful SIGBREAK', 'immediate SIGHUP']);
    expect(process.exitCode).toBe(129);
  });

  it('leaves SIGHUP to nohup and the system elsewhere', () => {
    onPlatform('linux');
    const before = process.listenerCount('SIGHUP');
    const { asked } = listening();
    expect(process.listenerCount('SIGHUP')).toBe(before);
    expect(asked).toEqual([]);
  });

  it.each(['linux', 'win32'] as const)('takes its listeners away on %s', (platform) => {
    onPlatform(platform);
    const names = ['SIGINT', 'SIGTERM', 'SIGBREAK', 'SIGHUP'] as const;
    const counts = (): number[] => names.map((name) => process.listenerCount(name));
    const before = counts();
    listening().unlisten();
    expect(counts()).toEqual(before);
  });
});
