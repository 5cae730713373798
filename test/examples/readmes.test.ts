import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { exampleFile, exampleNames, outputIn, readmeOf } from './shown.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAX_LINES = 15;
const SOURCE = /^[\w.-]+\.(?:ts|mjs|py|json|ipynb|md|ya?ml)$|^Dockerfile$/;
const FOLDER = /^[\w-]+\/$/;
/** Written by the ONNX example when it runs. */
const OF_A_RUN = 'antenna.json';

/** Files and folders that a README names as its own, in its text and in what is typed. */
function ownFiles(readme: string): string[] {
  const spans = [...readme.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) => code.split(' '));
  return [...new Set(spans)].filter((word) => word !== OF_A_RUN && (SOURCE.test(word) || FOLDER.test(word)));
}

/** Paths from the root of the repository, as commands have them, and those that links have. */
const pathsFromRoot = (readme: string): string[] => readme.match(/\bexamples\/[\w./-]+\.\w+/g) ?? [];
const linksIn = (readme: string): string[] =>
  [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => link);

const testsText = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => readFileSync(join(ROOT, 'test', name), 'utf8'))
  .join('\n');

describe.each(exampleNames)('examples/%s', (name) => {
  const readme = readmeOf(name);

  it(`has a README of at most ${MAX_LINES} lines, with what it prints`, () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
    expect(readme).toMatch(/^# \S/);
    expect(outputIn(readme).filter((line) => line !== '…').length).toBeGreaterThan(0);
  });

  it('names only files that are there', () => {
    for (const file of ownFiles(readme)) expect(existsSync(exampleFile(`${name}/${file}`)), file).toBe(true);
    for (const path of pathsFromRoot(readme)) expect(existsSync(join(ROOT, path)), path).toBe(true);
    for (const link of linksIn(readme))
      expect(existsSync(join(dirname(exampleFile(`${name}/README.md`)), link)), link).toBe(true);
  });

  it('is run by a test, which compares what it prints', () => {
    const compares = testsText.includes(`expectShown('${name}'`);
    expect(compares, `no test has expectShown('${name}', printed)`).toBe(true);
  });

  it('is in the index', () => {
    expect(readFileSync(exampleFile('README.md'), 'utf8')).toContain(`| [${name}](${name}/README.md) |`);
  });
});
