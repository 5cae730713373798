import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = await readFile(new URL('docs/provisioning.md', root), 'utf8');

describe('docs/provisioning.md', () => {
  it('links to pages and examples that exist, and is linked from the README and the credentials page', async () => {
    for (const name of ['README.md', 'docs/credentials.md']) {
      expect(await readFile(new URL(name, root), 'utf8')).toContain('provisioning.md');
    }
    for (const [, name = ''] of page.matchAll(/`(examples\/[\w-]+)`/g)) {
      expect(await readFile(new URL(`${name}/README.md`, root), 'utf8')).not.toBe('');
    }
  });
});
