import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { CACHE_TTL_MS, CACHED_OPERATIONS, INVALIDATES } from '../../src/cache/rules.js';

const page = await readFile(new URL('../../docs/credentials.md', import.meta.url), 'utf8');
const rows = page.slice(page.indexOf('## Cached operations')).match(/^\| `.*$/gm) ?? [];
const namesIn = (cell = ''): string[] => [...cell.matchAll(/`([\w.]+)`/g)].map(([, name]) => name ?? '');

describe('the table of cached operations', () => {
  it('says what the code does', () => {
    const told = rows.flatMap((row) => {
      const [, operations, kept, dropped] = row.split('|');
      return namesIn(operations).map((name) => [name, parseInt(kept ?? '', 10), namesIn(dropped).sort()]);
    });
    const done = CACHED_OPERATIONS.map((name) => {
      const changes = Object.entries(INVALIDATES).filter(
        ([, old]) => old === 'credential' || old.includes(name),
      );
      return [name, CACHE_TTL_MS[name] / 60_000, changes.map(([change]) => change).sort()];
    });
    expect(told.sort()).toEqual(done.sort());
  });
});
