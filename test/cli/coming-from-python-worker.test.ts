import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readConfiguration } from '../../src/cli/sources.js';

const root = new URL('../../', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');
const namesIn = (text: string): string[] =>
  [...new Set([...text.matchAll(/\bAMI_[A-Z_]*[A-Z]\b/g)].map(([name]) => name))].sort();

const page = read('docs/coming-from-python-worker.md');
const section = (title: string): string => page.split(/^##+ /m).find((part) => part.startsWith(title)) ?? '';
const inSource = namesIn(
  readdirSync(fileURLToPath(new URL('src', root)), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => read(`src/${file}`))
    .join('\n'),
);

/** What is said about a variable that is set: `read`, `ignored` with the reason why, or `unknown`. */
async function fateOf(name: string): Promise<string> {
  const cwd = fileURLToPath(new URL('test/cli/', root));
  const { warnings } = await readConfiguration({ flags: {}, env: { [name]: '1' }, cwd });
  if (warnings.length === 0) return 'read';
  return warnings.join().includes('has no meaning here') ? 'ignored' : 'unknown';
}

describe('the page for people who come from the Python worker', () => {
  it('has every AMI_ name that the sources know', () => {
    expect(inSource.length).toBeGreaterThan(5);
    expect(namesIn(page)).toEqual(expect.arrayContaining(inSource));
  });

  it.each([
    ['Names that are read', 'read'],
    ['Names without a meaning here', 'ignored'],
    ['Names that are not known here', 'unknown'],
  ])('says under "%s" what becomes of a name that is set', async (title, fate) => {
    const names = namesIn(section(title));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect({ name, fate: await fateOf(name) }).toEqual({ name, fate });
  });

  it('names no variable that is in none of these sections', () => {
    const told = ['Names that are read', 'Names without a meaning', 'Names that are not known']
      .map(section)
      .join('\n');
    expect(namesIn(page)).toEqual(namesIn(told));
  });
});
