import { dirname } from 'node:path';
import { helperPath } from 'antenna-sdk/python';
import { describe, expect, it } from 'vitest';
import { pythonPath } from '../../../../src/worker/executors/command/python-helper.js';

describe('where Python looks for the helper', () => {
  const folder = dirname(helperPath);

  it.each([
    ['win32', String.raw`C:\models;D:\lib`, ';'],
    ['linux', '/models:/lib', ':'],
    ['darwin', '/models:/lib', ':'],
  ] as const)('is last, with what separates folders on %s', (platform, current, separator) => {
    expect(pythonPath(current, platform)).toBe(`${current}${separator}${folder}`);
  });

  it.each([undefined, ''])('is the only place where nothing else is named (%j)', (current) => {
    expect(pythonPath(current, 'win32')).toBe(folder);
  });
});
