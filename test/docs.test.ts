import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnxDescriptionSchema } from '../src/onnx/description.js';
import { COMPILE_TIMEOUT_MS, complaintsOf } from './support/compile.js';

const root = new URL('../', import.meta.url);
const folder = new URL('.cache/docs/', root);
/** Pages of whole programs. The others show fragments, or have a test of their own that puts theirs together and runs them. */
const pages = [
  'README.md',
  'docs/bridge.md',
  'docs/client.md',
  'docs/credentials.md',
  'docs/handlers.md',
  'docs/onnx.md',
  'docs/provisioning.md',
  'docs/tutorial.md',
];
const texts = new Map(
  await Promise.all(pages.map(async (name) => [name, await readFile(new URL(name, root), 'utf8')] as const)),
);
const snippets = [...texts].flatMap(([page, text]) =>
  // Files of the reader's have names, and may import each other; an excerpt of one has another title.
  [...text.matchAll(/```ts(?: twoslash)?(?: \[([\w.-]+)\])?\n([\s\S]*?)```/g)].map(
    ([, name, code = ''], index) => ({
      page,
      code,
      file: fileURLToPath(new URL(`${page.replace(/\W+/g, '-')}/${name ?? `${index + 1}.ts`}`, folder)),
    }),
  ),
);
/** The files that the snippets import as the reader's own, and do not show. */
const OWN = {
  'docs-handlers-md/model.ts': await readFile(new URL('test/support/model.ts', root), 'utf8'),
  'docs-provisioning-md/pipelines.ts': `
    import { definePipeline } from 'antenna-sdk';
    const algorithms = [{ key: 'b', name: 'b', task_type: 'detection' }];
    export const moths = definePipeline({ name: 'p', slug: 'p', version: 1, algorithms, process: () => ({ detections: [] }) });`,
  'docs-provisioning-md/settings.ts': `
    import type { AntennaClient, ProvisionOptions } from 'antenna-sdk';
    export declare const platform: AntennaClient;
    export declare const options: ProvisionOptions;
    export declare const path: string;`,
};

describe('the pages', () => {
  beforeAll(async () => {
    const own = Object.entries(OWN).map(([name, code]) => ({
      code,
      file: fileURLToPath(new URL(name, folder)),
    }));
    await Promise.all(
      [...snippets, ...own].map(async ({ code, file }) => {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, code);
      }),
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  // One program for all: a compiler takes seconds to read the libraries, whatever it is shown after them.
  it(
    'have snippets that the compiler accepts under our own strict settings',
    () => {
      expect(new Set(snippets.map(({ page }) => page)).size).toBe(pages.length);
      expect(complaintsOf(snippets.map(({ file }) => file))).toEqual([]);
    },
    COMPILE_TIMEOUT_MS,
  );

  it('have descriptions of ONNX models that the schema takes', () => {
    const descriptions = [...(texts.get('docs/onnx.md') ?? '').matchAll(/```json\n([\s\S]*?)```/g)].map(
      ([, text = '']) => JSON.parse(text) as unknown,
    );
    expect(descriptions.length).toBeGreaterThan(0);
    for (const description of descriptions)
      expect(onnxDescriptionSchema.safeParse(description).error).toBeUndefined();
  });
});
