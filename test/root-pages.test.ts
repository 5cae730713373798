import { existsSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../', import.meta.url);
const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md'];

const withoutCode = (markdown: string): string => markdown.replace(/^ *```[\s\S]*?^ *```$/gm, '');

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(markdown).matchAll(/^#{1,6} +(.+)$/gm)) {
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Where the page's links lead that stay in this repository. */
function relativeLinks(markdown: string): string[] {
  const text = withoutCode(markdown).replace(/(?<!\[)`[^`\n]+`(?!\])/g, '');
  const found = [...text.matchAll(/\]\(([^)\s]+)|^\[[^\]]+\]: *(\S+)|(?:src|srcset|href)="([^"]+)"/gm)];
  return found
    .map(([, link, definition, html]) => link ?? definition ?? html ?? '')
    .filter((target) => !/^(?:[a-z]+:|\/\/)/i.test(target));
}

/** What is wrong with a link of a page at the root of the repository. */
function problemOf(page: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#');
  const file = new URL(path === '' ? page : path, root);
  if (!existsSync(file)) return `${target}: no such file`;
  if (anchor === undefined || statSync(file).isDirectory()) return undefined;
  const anchors = anchorsOf(readFileSync(file, 'utf8'));
  return anchors.has(anchor) ? undefined : `${target}: no such heading`;
}

describe('CONTRIBUTING', () => {
  it('names only commands that exist', () => {
    const text = readFileSync(new URL('CONTRIBUTING.md', root), 'utf8');
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
      scripts: object;
    };
    const named = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe('the relative links', () => {
  it.each(pages)('of %s lead to a file and a heading that are there', (page) => {
    const links = relativeLinks(readFileSync(new URL(page, root), 'utf8'));
    expect(links.map((target) => problemOf(page, target)).filter(Boolean)).toEqual([]);
    expect(links.length).toBeGreaterThan(0);
  });

  it('are found wherever a page may have them, and told when they are dead', () => {
    const page =
      '[a](docs/x.md) <img src="b.png">\n[c]: docs/cli.md#nowhere\n`[d](e.md)` [f](https://example.org)';
    expect(relativeLinks(page).map((target) => problemOf('README.md', target))).toEqual([
      'docs/x.md: no such file',
      'b.png: no such file',
      'docs/cli.md#nowhere: no such heading',
    ]);
  });

  it('know the anchors that GitHub makes', () => {
    expect([
      ...anchorsOf('# The `antenna` command: what & why?\n## [A](b.md)\n## A\n```\n# not one\n```'),
    ]).toEqual(['the-antenna-command-what--why', 'a', 'a-1']);
  });
});
