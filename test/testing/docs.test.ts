import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { COMPILE_TIMEOUT_MS, complaintsOf } from '../support/compile.js';

const root = new URL('../../', import.meta.url);
const folder = new URL('.cache/docs-testing/', root);
const page = await readFile(new URL('docs/testing.md', root), 'utf8');

/** What the shorter snippets of the page talk about. */
const PRELUDE = `
import { AntennaClient, AntennaWorker, definePipeline, silentLogger } from 'antenna-sdk';
import { createContractServer, createImageHost, createTestClock, serveContractServer } from 'antenna-sdk/testing';

export async function run(): Promise<void> {
  const clock = createTestClock();
  const server = createContractServer({ dialect: 'api-key', clock });
  const root = server.user({ superuser: true });
  const project = server.project({ name: 'Meadow' });
  const service = project.service({ name: 'my-worker' });
  const key = service.key();
  const images = createImageHost({ clock });
  const algorithms = [{ key: 'b', name: 'b', task_type: 'detection' }];
  const pipeline = definePipeline({ name: 'p', slug: 'p', version: 1, algorithms, process: () => ({ detections: [] }) });
  const job = project.job({ pipeline: project.pipeline(pipeline.config), images: [images.generate().url] });
  const client = new AntennaClient({ baseUrl: server.baseUrl, apiKey: key.value, fetch: server.fetch, clock, logger: silentLogger });
  const worker = new AntennaWorker({ client, projects: [project.id], pipelines: [pipeline], fetch: images.fetch });
  void [root, service, worker, job, createImageHost, serveContractServer];
  {
`;

const snippets = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ''], index) => ({
  title: `snippet ${index + 1}: ${code.split('\n').find((line) => line !== '' && !line.startsWith('import')) ?? ''}`,
  file: fileURLToPath(new URL(`snippet-${index + 1}.ts`, folder)),
  code: `${PRELUDE}${code.replace(/^import .*\n/gm, '')}  }\n}\n`,
}));

describe('docs/testing.md', () => {
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    await Promise.all(snippets.map(({ code, file }) => writeFile(file, code)));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(() => {
    vi.spyOn(console, 'log').mockImplementation(() => undefined);
    return () => {
      vi.restoreAllMocks();
    };
  });

  it(
    'has snippets that the compiler accepts under our own strict settings',
    () => {
      expect(
        complaintsOf(
          snippets.map(({ file }) => file),
          { noUnusedLocals: false },
        ),
      ).toEqual([]);
      expect(snippets.length).toBeGreaterThan(10);
    },
    COMPILE_TIMEOUT_MS,
  );

  it.each(snippets)('runs $title', async ({ file }) => {
    const assert = vi.spyOn(console, 'assert').mockImplementation(() => undefined);
    const { run } = (await import(file)) as { run: () => Promise<void> };
    await run();
    for (const [isTrue] of assert.mock.calls) expect(isTrue).toBe(true);
  });

  it('names every option of the server and every fault', async () => {
    const read = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8');
    const options = await read('src/testing/options.ts');
    const declared = options.slice(
      options.indexOf('interface ContractServerOptions'),
      options.indexOf('interface Settings'),
    );
    for (const [, name] of declared.matchAll(/readonly (\w+)\??:/g))
      expect(page).toContain(`\`${name ?? ''}\``);
    const faults =
      (await read('src/testing/faults/http-faults.ts')) + (await read('src/testing/faults/faults.ts'));
    for (const [, name] of faults.matchAll(
      /^ {2}(\w+)\([^\n]*\): FaultHandle|^ {2}(\w+)\(\n[\s\S]{0,200}?\): FaultHandle/gm,
    )) {
      if (name) expect(page).toContain(`${name}(`);
    }
  });
});
