import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMPILE_TIMEOUT_MS, complaintsOf } from '../support/compile.js';

const root = new URL('../../', import.meta.url);
const folder = new URL('.cache/docs-provisioning/', root);
const page = await readFile(new URL('docs/provisioning.md', root), 'utf8');
const files = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ''], index) => ({
  code,
  file: fileURLToPath(new URL(`snippet-${index + 1}.ts`, folder)),
}));
/** The files that the snippets import as the reader's own. */
const OWN = {
  'pipelines.ts': `
    import { definePipeline } from 'antenna-sdk';
    const algorithms = [{ key: 'b', name: 'b', task_type: 'detection' }];
    export const moths = definePipeline({ name: 'p', slug: 'p', version: 1, algorithms, process: () => ({ detections: [] }) });`,
  'settings.ts': `
    import type { AntennaClient, ProvisionOptions } from 'antenna-sdk';
    export declare const platform: AntennaClient;
    export declare const options: ProvisionOptions;
    export declare const path: string;`,
};

describe('docs/provisioning.md', () => {
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    const own = Object.entries(OWN).map(([name, code]) => ({
      code,
      file: fileURLToPath(new URL(name, folder)),
    }));
    await Promise.all([...files, ...own].map(({ code, file }) => writeFile(file, code)));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it(
    'has snippets that the compiler accepts under our own strict settings',
    () => {
      expect(complaintsOf(files.map(({ file }) => file))).toEqual([]);
      expect(files.length).toBeGreaterThanOrEqual(3);
    },
    COMPILE_TIMEOUT_MS,
  );

  it('links to pages and examples that exist, and is linked from the README and the credentials page', async () => {
    for (const name of ['README.md', 'docs/credentials.md']) {
      expect(await readFile(new URL(name, root), 'utf8')).toContain('provisioning.md');
    }
    for (const [, name = ''] of page.matchAll(/`(examples\/[\w-]+)`/g)) {
      expect(await readFile(new URL(`${name}/README.md`, root), 'utf8')).not.toBe('');
    }
  });
});
