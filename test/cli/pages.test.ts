import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createProgram, normaliseArgs, type Invocation } from '../../src/cli/program.js';
import { readSetting } from '../../src/cli/read-setting.js';
import { SETTINGS, type SettingName } from '../../src/cli/settings.js';
import { mentionedLines, typedLines } from '../support/command-lines.js';

const page = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

function parse(args: readonly string[]): Invocation {
  let invocation: Invocation | undefined;
  const program = createProgram((found) => (invocation = found));
  // What it has to say about a wrong flag is in the error, too.
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ])
    command.configureOutput({ writeErr: () => undefined });
  program.parse(normaliseArgs(args), { from: 'user' });
  if (invocation === undefined) throw new Error(`nothing was asked for: ${args.join(' ')}`);
  return invocation;
}

/** What a run would refuse of these flags before it asks anybody; `configured` if a file may name the pipelines. */
function problemsOf({ row, flags }: Invocation, configured: boolean): string[] {
  const settings = Object.entries(flags).filter(([name]) => name in SETTINGS);
  const wrong = settings.flatMap(([name, value]) => {
    const read = readSetting(name as SettingName, value);
    return 'problem' in read ? [`${name} ${read.problem}`] : [];
  });
  const sources = ['module', 'exec', 'attach', 'service', 'start', 'onnx'].filter((name) => name in flags);
  if (row.name === 'run' && sources.length !== 1 && !(configured && sources.length === 0))
    wrong.push(`${sources.length} sources of pipelines`);
  if ('workers' in flags && ('attach' in flags || 'start' in flags)) wrong.push('--workers with one service');
  return wrong;
}

describe.each(['README.md', 'docs/places.md', 'docs/coming-from-python-worker.md'])(
  'the command lines of %s',
  (file) => {
    const text = page(file);

    it('take the flags that there are, with values that can be used', () => {
      const lines = typedLines(text);
      expect(lines.length).toBeGreaterThan(0);
      // In the folder that `init` makes, a configuration file says where the pipelines are.
      const configured = lines.some(({ args }) => args[0] === 'init');
      for (const { line, args } of lines)
        expect({ line, problems: problemsOf(parse(args), configured) }).toEqual({ line, problems: [] });
    });

    it('are named in the text as they can be typed', () => {
      const lines = mentionedLines(text).filter(({ line }) => !line.includes('…'));
      expect(lines.length).toBeGreaterThan(0);
      for (const { line, args } of lines) expect(() => parse(args), line).not.toThrow();
    });

    it('are set up by variables that are read', () => {
      const known = new Set<string>(
        Object.values(SETTINGS).flatMap((spec) => ('env' in spec ? spec.env : [])),
      );
      known.add('ANTENNA_ENV_FILE');
      const named = [...text.matchAll(/\bANTENNA_[A-Z_]*[A-Z]\b/g)].map(([name]) => name);
      expect(named.filter((name) => !known.has(name))).toEqual([]);
    });
  },
);

describe('the four places', () => {
  const text = page('docs/places.md');
  const places = text.split(/^## /m).slice(1);

  it('are a notebook, a workstation, SLURM and several GPUs, each told in the same parts', () => {
    const parts = places.map((place) => [...place.matchAll(/^### (.*)$/gm)].map(([, part]) => part));
    expect(parts).toEqual(
      Array<string[]>(4).fill(['In five lines', 'What to expect', 'What to set', 'When it is killed']),
    );
  });

  it.each(places.map((place) => [place.split('\n')[0], place] as const))(
    '%s is typed in five lines',
    (_, place) => {
      const five = place.split(/^### /m)[1] ?? '';
      const lines = [...five.matchAll(/^```\w+\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) =>
        block.trim().split('\n'),
      );
      expect(lines).toHaveLength(5);
    },
  );

  it('are in the README as they are here', () => {
    const five = places.flatMap((place) => [
      ...(place.split(/^### /m)[1] ?? '').matchAll(/^```\w+\n[\s\S]*?^```/gm),
    ]);
    expect(five.length).toBeGreaterThan(3);
    for (const [block] of five) expect(page('README.md')).toContain(block);
  });
});
