import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createProgram, type Invocation } from '../../src/cli/program.js';

const commandsIn = (file: string): string[] =>
  [...readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').matchAll(/^\$ (.*)$/gm)]
    .flatMap(([, line = '']) => line.split(' && '))
    .flatMap((line) => /^(?:npx )?antenna(?:-sdk)? (.*)$/.exec(line)?.[1] ?? []);

describe.each(['README.md', 'docs/cli.md'])('the recorded session of %s', (file) => {
  const lines = commandsIn(file);

  it('shows init, doctor, run and bench', () => {
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['init', 'doctor', 'run', 'bench']);
  });

  it.each(lines)('types what there is: antenna %s', (line) => {
    let invocation: Invocation | undefined;
    createProgram((found) => (invocation = found)).parse(line.split(' '), { from: 'user' });
    expect(invocation?.row.name).toBe(line.split(' ')[0]);
  });
});
