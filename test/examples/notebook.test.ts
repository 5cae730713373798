import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AntennaClient, AntennaWorker, pipelinesFromAttached, silentLogger } from 'antenna-sdk';
import { helperPath } from 'antenna-sdk/python';
import { createContractServer } from 'antenna-sdk/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { eventsOf, imageFetch, imageUrls, until } from '../support/worlds.js';
import { pythonHas } from '../worker/executors/command/support.js';
import { orSkipped } from '../support/or-skipped.js';
import { serve, startMain } from './mains.js';
import { expectShown } from './shown.js';

const notebook = fileURLToPath(new URL('../../examples/notebook/attach.ipynb', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'antenna-notebook-'));
const hasJupyter = spawnSync('jupyter', ['nbconvert', '--version'], { stdio: 'ignore' }).status === 0;

afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Cell {
  readonly cell_type: string;
  readonly source: readonly string[];
}

/** The cells of the notebook as a script. */
function script(): string {
  const { cells } = JSON.parse(readFileSync(notebook, 'utf8')) as { readonly cells: readonly Cell[] };
  const path = join(folder, 'cells.py');
  const code = cells.filter(({ cell_type }) => cell_type === 'code').map(({ source }) => source.join(''));
  writeFileSync(path, code.join('\n\n'));
  return path;
}

const runs: readonly (readonly [string, boolean, () => readonly [string, readonly string[]]])[] = [
  [
    orSkipped('executed by jupyter', hasJupyter, 'jupyter nbconvert is not there'),
    hasJupyter,
    () => ['jupyter', ['nbconvert', '--to', 'notebook', '--execute', '--output-dir', folder, notebook]],
  ],
  [
    orSkipped('as a script', pythonHas(), 'no python3 of 3.9 or newer'),
    pythonHas(),
    () => ['python3', [script()]],
  ],
];

describe.each(runs)('examples/notebook, %s', (_, there, commandOf) => {
  it.skipIf(!there)(
    'attaches to a waiting worker, does its job, and ends with it',
    async () => {
      const socket = join(folder, `${there ? process.hrtime.bigint() : 0}.sock`);
      const [command, args] = commandOf();
      const cell = spawn(command, [...args], {
        env: { ...process.env, ANTENNA_ATTACH: socket, PYTHONPATH: dirname(helperPath) },
        stdio: 'ignore',
      });
      const ended = new Promise((resolve) => cell.once('exit', resolve));
      try {
        const pipelines = await pipelinesFromAttached({ listen: socket });
        expect(pipelines.map(({ slug }) => slug)).toEqual(['notebook-moths']);
        const server = createContractServer({ dialect: 'api-key', emptyWaitMs: 1 });
        const project = server.project({ name: 'Meadow' });
        const client = new AntennaClient({
          baseUrl: server.baseUrl,
          apiKey: project.service({ name: 'tester' }).key().value,
          fetch: server.fetch,
          logger: silentLogger,
        });
        const [stored] = (
          await client.pipelines.register(
            project.id,
            pipelines.map(({ config }) => config),
          )
        ).pipelines;
        if (!stored) throw new Error('the pipeline was not registered');
        const job = project.job({ pipeline: stored, images: imageUrls(6) });
        const worker = new AntennaWorker({
          client,
          projects: [project.id],
          pipelines,
          fetch: imageFetch,
          pollIntervalMs: 20,
        });
        const tasks = eventsOf(worker, 'task');
        const running = worker.run({ handleSignals: false });
        await until(() => tasks.length === 6);
        await worker.stop();
        expect(await running).toMatchObject({ succeeded: 6, failed: 0 });
        server.settle();
        expect(job.status).toBe('SUCCESS');
        expect(await ended).toBe(0);
      } finally {
        cell.kill('SIGKILL');
      }
    },
    120_000,
  );
});

describe.skipIf(!pythonHas())(
  orSkipped('the worker of examples/notebook', pythonHas(), 'no python3 of 3.9 or newer'),
  () => {
    it('waits for the cells, does a server’s job with them, and says what became of each image', async () => {
      const { env, done } = await serve();
      const socket = join(folder, 'worker.sock');
      const main = startMain('notebook/worker.ts', { args: [socket], env });
      const cells = spawn('python3', [script()], {
        env: { ...process.env, ANTENNA_ATTACH: socket, PYTHONPATH: dirname(helperPath) },
        stdio: 'ignore',
      });
      try {
        await done(main);
        main.child.kill('SIGTERM');
        expect(await main.exit, main.output()).toBe(0);
        expectShown('notebook', main.printed().replace(socket, '/tmp/antenna-notebook.sock'));
      } finally {
        cells.kill('SIGKILL');
      }
    }, 120_000);
  },
);
