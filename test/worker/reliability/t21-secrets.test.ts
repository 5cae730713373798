import { inspect } from 'node:util';
import { AntennaClient, type WorkerEvents } from 'antenna-sdk';
import { expect, it, vi } from 'vitest';
import { listeningLogger } from '../executors/support.js';
import { createRig, rigPipeline, stopDriven } from './rig.js';

vi.setConfig({ testTimeout: 60_000 });

it('T21 tells of jobs in trouble without a secret of the key, the URLs or what servers answer', async () => {
  const rig = createRig();
  const key = rig.project.service({ name: 'teller' }).key().value;
  const secrets = [key, key.split('.')[1] ?? '', 'hunter2', 'SIGNATURE'];
  const { logger, lines } = listeningLogger();
  const client = new AntennaClient({
    baseUrl: rig.server.baseUrl,
    apiKey: key,
    fetch: rig.server.fetch,
    clock: rig.clock,
    logger,
    random: () => 0.5,
  });
  const urls = Array.from(
    { length: 60 },
    (_, image) => `http://camera:hunter2@dead.example/${image}.jpg?X-Amz-Signature=SIGNATURE`,
  );
  rig.job(urls, 'images');
  const posts = rig.job(60, 'posts');
  const tasks = rig.job(60, 'tasks');
  rig.job(60, 'model');
  const body = { detail: `refused for ${key}` };
  const only = (route: 'tasks' | 'result', { id }: { readonly id: number }) => ({
    route,
    where: ({ path }: { readonly path: string }) => path.includes(`/jobs/${id}/`),
  });
  rig.server.faults.answer({ status: 500, body }, only('result', posts));
  rig.server.faults.answer({ status: 403, body }, only('tasks', tasks));
  const worker = rig.worker({
    client,
    pipelines: [
      ...['images', 'posts', 'tasks'].map((slug) =>
        rigPipeline(slug, { process: () => ({ detections: [] }) }),
      ),
      rigPipeline('model', {
        process: () => {
          throw new Error('out of luck');
        },
      }),
    ],
    fetch: (input) =>
      Promise.resolve(
        new URL(input).host === 'dead.example'
          ? new Response(`refused for ${input}`, { status: 503 })
          : new Response(Buffer.from('image')),
      ),
  });
  const told: string[] = [];
  const tell = (event: WorkerEvents['trouble' | 'trouble_over' | 'post_retry' | 'job_rejected']): void => {
    told.push(inspect(event, { depth: 10 }), JSON.stringify(event));
  };
  for (const name of ['trouble', 'trouble_over', 'post_retry', 'job_rejected'] as const)
    worker.on(name, tell);
  const running = worker.run({ handleSignals: false });
  await rig.clock.advance(90_000);
  const health = worker.health();
  told.push(
    inspect(health, { depth: 10 }),
    JSON.stringify(worker.metrics()),
    worker.explain(),
    inspect(worker),
    ...lines,
  );
  await stopDriven(rig, worker, running, { graceMs: 0 });
  const all = told.join('\n');
  // What the texts are about is there, or their having no secret would say nothing.
  const missing = ["the images' host dead.example", `job ${posts.id}: `, 'pipeline model'];
  expect(missing.filter((words) => !all.includes(words))).toEqual([]);
  expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
});
