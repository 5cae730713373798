import { describe, expect, it } from 'vitest';
import {
  repositoryAddress,
  rewriteLinks,
  targetOf,
  type LinkToken,
} from '../../docs/.vitepress/repository-links.js';

const REPOSITORY = 'https://github.com/owner/name';

describe('a link of a page', () => {
  it.each(['https://example.org/a', 'mailto:a@example.org', '#here', '/places'])(
    'stays as it is: %s',
    (href) => {
      expect(targetOf(href, 'testing.md', REPOSITORY)).toEqual({ kind: 'link', href });
    },
  );

  it('to another page stays as it is, with its anchor', () => {
    expect(targetOf('cli.md#settings', 'deploy.md', REPOSITORY)).toEqual({
      kind: 'link',
      href: 'cli.md#settings',
    });
    expect(targetOf('../cli.md', 'reference/index.md', undefined)).toEqual({
      kind: 'link',
      href: '../cli.md',
    });
  });

  it('to the changelog leads to its page', () => {
    expect(targetOf('../CHANGELOG.md', 'deploy.md', undefined)).toEqual({
      kind: 'link',
      href: 'changelog.md',
    });
  });

  it('in the changelog starts from where the changelog lies', () => {
    expect(targetOf('docs/cli.md', 'changelog.md', undefined)).toEqual({ kind: 'link', href: 'cli.md' });
    expect(targetOf('examples/onnx', 'changelog.md', REPOSITORY)).toMatchObject({
      href: `${REPOSITORY}/blob/HEAD/examples/onnx`,
    });
  });

  it.each([
    ['../examples/notebook', 'examples/notebook', 'examples/notebook'],
    ['../README.md#quick-start', 'README.md', 'README.md#quick-start'],
    ['../test/x.mjs', 'test/x.mjs', 'test/x.mjs'],
  ])('that leaves the pages leads to the repository: %s', (href, path, below) => {
    const target = { kind: 'repository', path, href: `${REPOSITORY}/blob/HEAD/${below}` };
    expect(targetOf(href, 'python.md', REPOSITORY)).toEqual(target);
    expect(targetOf(href, 'python.md', undefined)).toEqual({ ...target, href: undefined });
  });
});

describe('the repository', () => {
  it.each([
    'github:owner/name',
    'owner/name',
    'https://github.com/owner/name',
    { url: 'git+https://github.com/owner/name.git' },
    { url: 'git@github.com:owner/name.git' },
  ])('is known by its address: %j', (field) => {
    expect(repositoryAddress(field)).toBe(REPOSITORY);
  });

  it.each([undefined, '', {}, 'https://example.org/owner/name.git'])('is not known by %j', (field) => {
    expect(repositoryAddress(field)).toBeUndefined();
  });
});

describe('a line of a page', () => {
  const token = (type: string, content: string, attributes: Record<string, string> = {}): LinkToken => ({
    type,
    content,
    attrGet: (name) => attributes[name] ?? null,
    attrSet: (name, value) => {
      attributes[name] = value;
    },
  });
  const line = (text: string, href: string): LinkToken[] => [
    token('text', 'See '),
    token('link_open', '', { href }),
    token('text', text),
    token('link_close', ''),
  ];
  const shown = (tokens: readonly LinkToken[]): string =>
    tokens
      .map((each) => (each.type === 'link_open' ? `<${each.attrGet('href') ?? ''}>` : each.content))
      .join('');
  const rewritten = (text: string, href: string, repository?: string): string =>
    shown(rewriteLinks(line(text, href), 'python.md', repository, (content) => token('text', content)));

  it('has links to the repository where its address is known', () => {
    expect(rewritten('a notebook', '../examples/notebook', REPOSITORY)).toBe(
      `See <${REPOSITORY}/blob/HEAD/examples/notebook>a notebook`,
    );
  });

  it('has the path in place of the link where it is not', () => {
    expect(rewritten('a notebook', '../examples/notebook')).toBe('See a notebook (examples/notebook)');
  });

  it('does not say a path twice', () => {
    expect(rewritten('examples/bridge', '../examples/bridge/README.md')).toBe('See examples/bridge');
  });

  it('keeps links between pages', () => {
    expect(rewritten('the command', 'cli.md')).toBe('See <cli.md>the command');
  });
});
