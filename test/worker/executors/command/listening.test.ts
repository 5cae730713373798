import { AntennaConfigError } from 'antenna-sdk';
import { describe, expect, it } from 'vitest';
import { checkedToken } from '../../../../src/worker/executors/command/listening.js';

describe('where a worker waits for a handler', () => {
  it.each([String.raw`C:\run\worker.sock`, String.raw`\\.\pipe\worker`, './worker.sock'])(
    'is no path on Windows, which is said before anything is opened: %s',
    (listen) => {
      expect(() => checkedToken(listen, 'win32')).toThrow(AntennaConfigError);
      expect(() => checkedToken(listen, 'win32')).toThrow(/\{ port, token \} on Windows/);
      expect(checkedToken(listen, 'linux')).toBeUndefined();
    },
  );

  it.each(['win32', 'linux'] as const)('is a port with a token on %s', (platform) => {
    expect(checkedToken({ port: 0, token: 'sixteen-letters!' }, platform)).toBe('sixteen-letters!');
    expect(checkedToken({}, platform)).toMatch(/^[0-9a-f]{48}$/);
    expect(() => checkedToken({ token: 'short' }, platform)).toThrow(/at least 16/);
  });
});
