import { access, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createContractServer, type ContractServer, type JobHandle } from 'antenna-sdk/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { closeImageServers, imageServer } from './support/image-server.js';
import { until } from './support/worlds.js';

const root = new URL('../', import.meta.url);
const folder = new URL('test/.readme/', root);
const text = (name: string): Promise<string> => readFile(new URL(name, root), 'utf8');
const readme = await text('README.md');
/** Pages of programs that stand alone. Those that hold fragments have tests of their own. */
const pages = ['README.md', 'docs/client.md', 'docs/credentials.md'];

const snippets = (
  await Promise.all(
    pages.map(async (page) =>
      [...(await text(page)).matchAll(/```ts(?: twoslash)?\n([\s\S]*?)```/g)].map(([, code = ''], index) => ({
        page,
        code,
        file: fileURLToPath(new URL(`${page.replace(/\W+/g, '-')}-${index + 1}.ts`, folder)),
        title: `${page}, snippet ${index + 1}: ${code.split('\n').find((line) => /^(?:const|await|try)/.test(line)) ?? ''}`,
      })),
    ),
  )
).flat();

/** A snippet that provisions replaces it; one that shows a worker reads it. */
const KEY_FILE = fileURLToPath(new URL('api-key', folder));
const LABELS = ['Actias luna', 'Arctia caja', 'Noctua pronuba'];

/** What the snippets talk about: project 1, a key in the environment, a job of the pipeline `moth-finder`. */
async function prepare(server: ContractServer, images: readonly string[]): Promise<JobHandle> {
  const { url } = await server.listen();
  const project = server.project({ id: 1, name: 'Meadow' });
  const pipeline = project.pipeline({
    slug: 'moth-finder',
    name: 'Moth finder',
    algorithms: [
      { key: 'moth-boxes-1', name: 'Moth boxes', task_type: 'detection' },
      { key: 'moth-species-1', name: 'Moth species', task_type: 'classification', labels: LABELS },
    ],
  });
  const staff = server.user({ staff: true, email: 'platform@example.org', password: 'for the README only' });
  vi.stubEnv('ANTENNA_STAFF_EMAIL', staff.email);
  vi.stubEnv('ANTENNA_STAFF_PASSWORD', staff.password);
  vi.stubEnv('ANTENNA_KEY_FILE', KEY_FILE);
  vi.stubEnv('ANTENNA_API_URL', url);
  const key = project.service({ name: 'readme' }).key();
  vi.stubEnv('ANTENNA_API_KEY', key.value);
  await writeFile(KEY_FILE, key.value, { mode: 0o644 });
  return project.job({ pipeline, images });
}

describe('README and the pages of whole programs', () => {
  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    await Promise.all(snippets.map(({ code, file }) => writeFile(file, code)));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('fits on a few screens, and leads to what else there is', async () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(201);
    const links = [...readme.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link = '']) => link);
    expect(links).toContain('docs/tutorial.md');
    for (const link of links.filter((one) => !one.startsWith('https:')))
      await expect(access(new URL(link, root)), link).resolves.toBeUndefined();
  });

  it('names only commands that exist', async () => {
    const { scripts } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? '');
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });

  describe('runs every snippet', () => {
    let server: ContractServer;

    beforeEach(() => {
      server = createContractServer({ dialect: 'api-key' });
      vi.spyOn(console, 'log').mockImplementation(() => undefined);
      vi.spyOn(console, 'error').mockImplementation(() => undefined);
    });
    afterEach(async () => {
      vi.unstubAllEnvs();
      vi.restoreAllMocks();
      await Promise.all([server.close(), closeImageServers()]);
    });

    it.each(snippets)('$title', async ({ code, file }) => {
      // Any bytes will do for an image here.
      const origin = await imageServer((_request, response) => response.end('pixels'));
      const job = await prepare(server, [`${origin}/a.jpg`, `${origin}/b.jpg`]);
      const running = import(file) as Promise<unknown>;
      if (code.includes('worker.run();')) {
        await Promise.race([running, until(() => (server.settle(), job.status === 'SUCCESS'))]);
        process.emit('SIGTERM', 'SIGTERM');
        await running;
        expect(job.counts).toMatchObject({ processed: 2, failed: 0, detections: 2, classifications: 2 });
      }
      await running;
      expect(console.error).not.toHaveBeenCalled();
      if (code.includes('await provision(')) {
        expect(console.log).toHaveBeenCalledWith(expect.stringContaining('key generated'));
        expect((await stat(KEY_FILE)).mode & 0o777).toBe(0o600);
        expect(await readFile(KEY_FILE, 'utf8')).not.toContain(process.env['ANTENNA_API_KEY']);
      }
      if (code.includes('checkCredential'))
        expect(console.log).toHaveBeenCalledWith(expect.stringContaining('gets tasks of the projects 1'));
      if (code.includes('probeDialect')) expect(console.log).toHaveBeenCalledWith('api-key');
      if (code.includes('results.submit')) expect(console.log).toHaveBeenCalledWith(2, 'queued');
      if (code.includes('NotFoundError'))
        expect(console.log).toHaveBeenCalledWith(expect.stringContaining('404'));
    });
  });
});
