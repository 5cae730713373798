import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { serveContractServer } from '../../../src/testing/index.js';
import type { ContractServerSeed, ServedContractServer } from '../../../src/testing/index.js';
import { createCaller, take } from '../helpers.js';

const KEY = 'abcdefgh.abcdefghijklmnopqrstuvwxyzABCDEF';
const TOKEN = '0123456789abcdef0123456789abcdef01234567';

const SEED: ContractServerSeed = {
  dialect: 'api-key',
  options: { visibilityTimeoutMs: 5000, emptyWaitMs: 0 },
  users: [{ email: 'root@example.org', superuser: true, token: TOKEN }],
  projects: [
    {
      name: 'Meadow',
      owner: 'root@example.org',
      services: [{ name: 'worker', keys: [KEY] }, { name: 'spare' }],
      pipelines: [{ slug: 'moths', algorithms: [{ key: 'box', task_type: 'detection' }] }],
      jobs: [
        {
          name: 'night 1',
          pipeline: 'moths',
          images: ['https://images.example/1.jpg', { id: 77, url: 'https://x.example/2' }],
        },
      ],
    },
  ],
};

let served: ServedContractServer | undefined;

afterEach(async () => {
  await served?.close();
  served = undefined;
});

describe('a server started from a seed', () => {
  it('serves what the seed describes, under the credentials it names', async () => {
    served = await serveContractServer(SEED);
    expect(served.keys.worker).toEqual([KEY]);
    expect(served.keys.spare?.[0]).toMatch(/^\w{8}\.\w{32}$/);
    expect(served.tokens).toEqual({ 'root@example.org': TOKEN });
    const call = createCaller(fetch, served.url, `Api-Key ${KEY}`);
    const job = served.jobs['night 1'];
    const tasks = await take(call, job?.id ?? 0);
    expect(tasks.map((task) => task.image_url)).toEqual([
      'https://images.example/1.jpg',
      'https://x.example/2',
    ]);
    expect(tasks[1]?.id).toBe('77');
  });

  it('seeds an algorithm’s uri and a map of labels only', async () => {
    const uri = 'https://models.example/box';
    const kinds = { key: 'kinds', task_type: 'classification', category_map: { labels: ['a'] } };
    served = await serveContractServer({
      dialect: 'api-key',
      projects: [{ pipelines: [{ slug: 'moths', algorithms: [{ key: 'box', uri }, kinds] }] }],
    });
    const { body } = await createCaller(fetch, served.url, '')('GET', '/ml/pipelines/', undefined, {
      authorization: null,
    });
    expect(body).toMatchObject({
      results: [
        {
          algorithms: [
            { key: 'box', uri },
            { key: 'kinds', uri: null, category_map: { id: 1 } },
          ],
        },
      ],
    });
  });

  it('reads its seed from a JSON file, and says what is wrong with one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'antenna-seed-'));
    try {
      const file = join(folder, 'seed.json');
      writeFileSync(file, JSON.stringify({ dialect: 'token' }));
      served = await serveContractServer(file);
      expect(served.server.dialect).toBe('token');
      writeFileSync(file, '{');
      await expect(serveContractServer(file)).rejects.toThrow(/is not JSON/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('names every entry it cannot use', async () => {
    const broken = {
      dialect: 'soap',
      users: [{ email: 'a', token: 'short' }],
      projects: [{ nmae: 'typo', services: [{ name: 's', keys: ['nokey'] }] }],
    } as unknown as ContractServerSeed;
    const error = await serveContractServer(broken).catch((caught: unknown) => (caught as Error).message);
    expect(error).toMatch(/dialect/);
    expect(error).toMatch(/users\.0\.token: must be 40/);
    expect(error).toMatch(/nmae/);
    expect(error).toMatch(/projects\.0\.services\.0\.keys\.0/);
  });

  it('names a pipeline or user that the seed does not describe', async () => {
    const job = { pipeline: 'nope', images: 1 };
    const unknown: ContractServerSeed = {
      dialect: 'token',
      projects: [{ pipelines: [{ slug: 'moths' }], jobs: [job] }],
    };
    await expect(serveContractServer(unknown)).rejects.toThrow(
      /"nope", which is no pipeline of the project. Known: moths/,
    );
  });
});
