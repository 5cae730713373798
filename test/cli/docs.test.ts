import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createProgram, type Invocation } from '../../src/cli/program.js';

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const lines = [...page.matchAll(/^\$ antenna (.*)$/gm)].map(([, line = '']) => line);

describe('the recorded session', () => {
  it('shows init, doctor, run and bench', () => {
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['init', 'doctor', 'run', 'bench']);
  });

  it.each(lines)('types what there is: antenna %s', (line) => {
    let invocation: Invocation | undefined;
    createProgram((found) => (invocation = found)).parse(line.split(' '), { from: 'user' });
    expect(invocation?.row.name).toBe(line.split(' ')[0]);
  });
});
