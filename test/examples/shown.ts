import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const root = new URL('../../examples/', import.meta.url);

/** Folders of `examples/`, by name. */
export const exampleNames: readonly string[] = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

export const exampleFile = (path: string): string => fileURLToPath(new URL(path, root));

/** The README of an example; empty if there is none. */
export function readmeOf(name: string): string {
  const path = exampleFile(`${name}/README.md`);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** What an example prints according to its README: the lines of its `console` or `text` block that nobody types. */
export function outputIn(readme: string): readonly string[] {
  const [, , block = ''] = /^```(console|text)\n([\s\S]*?)\n```$/m.exec(readme) ?? [];
  return block.split('\n').filter((line) => line !== '' && line !== '^C' && !line.startsWith('$ '));
}

/**
 * That an example printed what its README shows. Numbers, the public halves of keys and the width of columns may differ; a line that ends with `…` was
 * cut there, and a line of nothing else stands for any number of lines.
 */
export function expectShown(name: string, printed: string): void {
  const lines = outputIn(readmeOf(name));
  expect(lines.length, `examples/${name}/README.md shows nothing`).toBeGreaterThan(0);
  const pattern = lines.map((line) => (line === '…' ? '(?:.*\n)*?' : `${patternOf(line)}\n`)).join('');
  expect(`${printed.trimEnd()}\n`, `examples/${name}/README.md`).toMatch(new RegExp(`^${pattern}$`));
}

function patternOf(line: string): string {
  return line
    .replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replace(/\b\w{8}…(?=.)/g, String.raw`\w{8}…`)
    .replace(/…$/, '.*')
    .replace(/─+/g, '─+')
    .replace(/ {2,}/g, ' +')
    .replace(/(?<!\\w\{)\d+/g, String.raw`\d+`);
}
