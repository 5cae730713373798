import { describe, expect, it } from 'vitest';
import { CommandError, npmCommand, run } from '../../scripts/run-command.js';

describe('npm, started without a shell', () => {
  const node = 'C:\\Program Files\\nodejs\\node.exe';

  it('is itself where it is a program', () => {
    expect(npmCommand('linux', '/usr/bin/node', undefined)).toEqual(['npm']);
  });

  it('is its JavaScript on Windows: the one that runs us, or the one beside Node', () => {
    const ours = 'C:\\npm\\bin\\npm-cli.js';
    expect(npmCommand('win32', node, ours)).toEqual([node, ours]);
    const beside = 'C:\\Program Files\\nodejs\\node_modules\\npm\\bin\\npm-cli.js';
    for (const other of [undefined, 'C:\\pnpm\\pnpm.cjs'])
      expect(npmCommand('win32', node, other)).toEqual([node, beside]);
  });
});

describe('a program that is run', () => {
  it('gives what it printed, and fails with it', () => {
    expect(run(process.execPath, ['-p', '6 * 7'], '.')).toBe('42\n');
    expect(() => run(process.execPath, ['-e', 'console.error("no model"); process.exit(3)'], '.')).toThrow(
      CommandError,
    );
    expect(() => run(process.execPath, ['-e', 'console.error("no model"); process.exit(3)'], '.')).toThrow(
      'no model',
    );
  });
});
