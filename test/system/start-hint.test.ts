import { describe, expect, it } from 'vitest';
import { isBatchFile, startHint } from '../../src/system/start-hint.js';

describe('what is said of a command that Windows did not start', () => {
  it.each([
    ['npx', 'for npx, npm and other .cmd files'],
    [String.raw`C:\models\detect.cmd`, 'is not started without a shell'],
    ['detect.BAT', 'is not started without a shell'],
    ['python3', 'usually called python or py'],
    ['python3.12', 'usually called python or py'],
  ])('%s', (command, words) => {
    expect(startHint(command, 'win32')).toContain(words);
  });

  it.each(['linux', 'darwin'] as const)('is nothing on %s', (platform) => {
    expect(startHint('npx', platform)).toBe('');
  });

  it.each([
    ['npx.cmd', true],
    // Windows takes it for the same file.
    ['npx.cmd. ', true],
    ['cmd.exe', false],
    ['my.cmd.exe', false],
  ])('takes %s for a batch file: %s', (command, batch) => {
    expect(isBatchFile(command)).toBe(batch);
  });
});
