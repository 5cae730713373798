import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FLOORS } from './floors.js';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/architecture.md', root), 'utf8');

describe('docs/architecture.md', () => {
  const names = [...new Set([...page.matchAll(/`((?:src|test|etc)\/[^`]+)`/g)].map(([, name = '']) => name))];

  it('names files', () => {
    expect(names.length).toBeGreaterThan(50);
  });

  it.each(names)('%s is there', (name) => {
    expect(existsSync(new URL(name, root))).toBe(true);
  });

  it('shows the floors as the test holds them, highest first', () => {
    const shown = /<!-- floors -->\n([\s\S]*?)\n<!-- \/floors -->/.exec(page)?.[1];
    const rows = [...FLOORS].reverse().map(([room, holds]) => `| \`${room}\` | ${holds} |`);
    expect(shown?.split('\n').slice(2)).toEqual(rows);
  });
});
