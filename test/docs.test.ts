import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
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
  'docs/onnx.md',
  'docs/provisioning.md',
];
const texts = new Map(
  await Promise.all(pages.map(async (name) => [name, await readFile(new URL(name, root), 'utf8')] as const)),
);
const snippets = [...texts].flatMap(([page, text]) =>
  [...text.matchAll(/```ts(?: twoslash)?\n([\s\S]*?)```/g)].map(([, code = ''], index) => ({
    page,
    code,
    file: fileURLToPath(new URL(`${page.replace(/\W+/g, '-')}-${index + 1}.ts`, folder)),
  })),
);
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

describe('the pages', () => {
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    const own = Object.entries(OWN).map(([name, code]) => ({
      code,
      file: fileURLToPath(new URL(name, folder)),
    }));
    await Promise.all([...snippets, ...own].map(({ code, file }) => writeFile(file, code)));
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
