import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PAGE_GROUPS, sidebars } from '../../docs/.vitepress/sidebar.js';

const written = readdirSync(new URL('../../docs', import.meta.url))
  .filter((name) => name.endsWith('.md') && name !== 'index.md')
  .map((name) => name.replace(/\.md$/, ''));
const listed = PAGE_GROUPS.flatMap(({ pages }) => pages.map(({ page }) => page));
const links = (reference?: Parameters<typeof sidebars>[0]): (string | undefined)[] =>
  (sidebars(reference)['/'] ?? []).flatMap(({ items }) => items?.map(({ link }) => link) ?? []);

describe('the sidebar', () => {
  it('leads to every page of docs/ once, and to none that is not there', () => {
    expect([...listed].sort()).toEqual(written.sort());
    expect(links()).toEqual(listed.map((page) => `/${page}`));
  });

  it('goes from the first steps to the changelog', () => {
    expect(PAGE_GROUPS.map(({ title }) => title)).toEqual([
      'Start',
      'Guides',
      'Reference',
      'How it works',
      'Project',
    ]);
    expect(listed.at(0)).toBe('tutorial');
    expect(listed.at(-1)).toBe('changelog');
  });

  it('leads to the reference once that was generated, which has its entries and their kinds, not every name', () => {
    const names = [{ text: 'Pace', link: '/reference/antenna-sdk/classes/Pace.md' }];
    const onnx = { text: 'onnx', link: '/reference/antenna-sdk/onnx/', items: [] };
    const kinds = [{ text: 'Type Aliases', items: names }, onnx];
    const tree = [{ text: 'antenna-sdk', link: '/reference/antenna-sdk/', items: kinds }];
    expect(links(tree)).toContain('/reference/');
    expect(sidebars(tree)['/reference/']).toEqual([
      {
        text: 'antenna-sdk',
        link: '/reference/antenna-sdk/',
        items: [{ text: 'Type Aliases', link: '/reference/antenna-sdk/#type-aliases' }],
      },
      { text: 'antenna-sdk/onnx', link: '/reference/antenna-sdk/onnx/', items: [] },
    ]);
    expect(sidebars(undefined)['/reference/']).toBeUndefined();
  });
});
