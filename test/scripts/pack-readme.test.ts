import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replace, restore, withAbsoluteLinks } from '../../scripts/pack-readme.js';

const manifest = {
  name: 'antenna-sdk',
  version: '1.2.3',
  repository: { url: 'git+https://git.example/moths/antenna-sdk.git' },
  homepage: 'https://moths.example/antenna-sdk/',
};
const FILES = 'https://git.example/moths/antenna-sdk';
const SITE = 'https://moths.example/antenna-sdk';
const absolute = (markdown: string): string => withAbsoluteLinks(markdown, manifest);

describe('the README on the page of the registry', () => {
  it.each([
    ['[a](docs/cli.md)', `[a](${SITE}/cli.html)`],
    ['[a](docs/testing.md#faults)', `[a](${SITE}/testing.html#faults)`],
    ['[a](./docs/index.md) [b](docs/)', `[a](${SITE}/) [b](${SITE}/)`],
    ['[`docs/x.md`](docs/cli.md "Title")', `[\`docs/x.md\`](${SITE}/cli.html "Title")`],
    ['[a]: docs/cli.md', `[a]: ${SITE}/cli.html`],
  ])('leads to pages of the site: %s', (own, expected) => {
    expect(absolute(own)).toBe(expected);
  });

  it.each([
    ['[a](CONTRIBUTING.md#release)', `[a](${FILES}/blob/v1.2.3/CONTRIBUTING.md#release)`],
    ['[a](examples/deploy/)', `[a](${FILES}/tree/v1.2.3/examples/deploy/)`],
    [
      '[![a](docs/pictures/a.png)](LICENSE)',
      `[![a](${FILES}/raw/v1.2.3/docs/pictures/a.png)](${FILES}/blob/v1.2.3/LICENSE)`,
    ],
    ['<img src="docs/a.svg" width="9">', `<img src="${FILES}/raw/v1.2.3/docs/a.svg" width="9">`],
  ])('leads to files as they were at this version: %s', (own, expected) => {
    expect(absolute(own)).toBe(expected);
  });

  it.each([
    '[a](https://example.org/docs/x.md) <a@b.example> [b](mailto:a@b.example) [c](//example.org/x)',
    '[a](#limits)',
    'Written `[a](docs/cli.md)`.',
    '```md\n[a](docs/cli.md)\n```',
    'An array a[0] (docs/cli.md).',
  ])('leaves what is no relative link: %s', (own) => {
    expect(absolute(own)).toBe(own);
  });

  it('leaves links as they are while an address is not known', () => {
    const { repository, homepage, ...unknown } = manifest;
    for (const known of [unknown, { ...unknown, repository }, { ...unknown, homepage }])
      expect(withAbsoluteLinks('[a](docs/cli.md)', known)).toBe('[a](docs/cli.md)');
  });
});

describe('the README of the repository', () => {
  const own = '# Moths\n\n[a](docs/cli.md)\n';
  let places = { readme: '', kept: '' };
  const read = (): string => readFileSync(places.readme, 'utf8');
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), 'antenna-sdk-readme-'));
    places = { readme: join(folder, 'README.md'), kept: join(folder, 'cache', 'README.own.md') };
    writeFileSync(places.readme, own);
  });
  afterEach(() => {
    rmSync(join(places.readme, '..'), { recursive: true });
  });

  it('gives way to the one for the registry, and comes back', () => {
    replace(places, manifest);
    expect(read()).toBe(absolute(own));
    restore(places, manifest);
    expect(read()).toBe(own);
    expect(existsSync(places.kept)).toBe(false);
  });

  it('comes back after a publish that failed, and after a second try', () => {
    replace(places, manifest);
    replace(places, manifest);
    restore(places, manifest);
    expect(read()).toBe(own);
    restore(places, manifest);
    expect(read()).toBe(own);
  });

  it('stays while the addresses are not known', () => {
    replace(places, { name: 'antenna-sdk', version: '1.2.3' });
    expect(read()).toBe(own);
    expect(existsSync(places.kept)).toBe(false);
  });

  it('does not take back what was written meanwhile', () => {
    replace(places, manifest);
    writeFileSync(places.readme, `${read()}More.\n`);
    expect(() => {
      restore(places, manifest);
    }).toThrow('README.md was changed');
    expect(read()).toContain('More.');
    expect(readFileSync(places.kept, 'utf8')).toBe(own);
  });
});
