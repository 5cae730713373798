/**
 * What the compiler must accept and what it must refuse. Checked by `tsc`, never run: a line marked as an error that is none fails the
 * type check.
 */
import {
  AntennaClient,
  AntennaError,
  checkCredential,
  definePipeline,
  encodeResult,
  provision,
  writeKeyFile,
  type AntennaClientOptions,
  type Dialect,
  type FetchLike,
  type Job,
  type JobSummary,
  type LeftOut,
  type Logger,
  type Page,
  type Pipeline,
  type Project,
  type ProvisionedKey,
  type ProvisionOptions,
  type RegistrationReport,
  type Secret,
  type Task,
  type TaskDetection,
  type TaskResult,
} from 'antenna-sdk';
import { Agent, MockAgent } from 'undici';
import { pino } from 'pino';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';

// Options
const key: string | undefined = process.env['ANTENNA_API_KEY'];
new AntennaClient({ baseUrl: 'https://antenna.example', apiKey: key });
new AntennaClient({ fetch: (...args) => fetch(...args) } satisfies AntennaClientOptions);
new AntennaClient({ dispatcher: new Agent() });
new AntennaClient({ dispatcher: new MockAgent() });
new AntennaClient({ logger: pino() });
new AntennaClient({ logger: console satisfies Logger });
new AntennaClient({ clientInfo: false, proxy: 'env', dialect: undefined });
// @ts-expect-error a misspelt option
new AntennaClient({ apikey: 'x' });
// @ts-expect-error a dialect that does not exist
new AntennaClient({ dialect: 'bearer' });
// @ts-expect-error true is neither fields nor "none"
new AntennaClient({ clientInfo: true });
// @ts-expect-error a header without its value
new AntennaClient({ header: { name: 'X-Key' } });
// @ts-expect-error the global fetch follows redirects when asked; ours never asks
export const wrongFetch: FetchLike = (_input: string, _init: { redirect: 'follow' }) => fetch('x');

declare const client: AntennaClient;
expectTypeOf(client.dialect).toEqualTypeOf<Dialect | undefined>();
// @ts-expect-error what a client was made with does not change
client.dialect = 'token';

export async function resources(): Promise<void> {
  for await (const project of client.projects.list({ ordering: '-name' }))
    expectTypeOf(project).toEqualTypeOf<Project>();
  const page = await client.projects.list();
  expectTypeOf(page).toExtend<Page<Project>>();
  expectTypeOf(page.leftOut).toEqualTypeOf<readonly LeftOut[] | undefined>();
  // @ts-expect-error a list needs to be told how many items fit in memory
  await client.projects.list().toArray();

  const open = await client.jobs.open({ pipelines: ['moths'] });
  expectTypeOf(open).toExtend<JobSummary[]>();
  expectTypeOf(open.leftOut).toEqualTypeOf<readonly LeftOut[] | undefined>();
  // @ts-expect-error without pipelines the filter would mean all of them
  await client.jobs.open({});
  // @ts-expect-error statuses are upper case
  client.jobs.list({ status: 'started' });
  const job = await client.jobs.create({ name: 'night', project_id: 1 });
  expectTypeOf(job).toEqualTypeOf<Job>();
  // The enum is open: a status that we do not know yet is a string, and known ones are completed.
  const status: string = job.status;
  if (job.status === 'STARTED' || status === 'BRAND_NEW') await client.jobs.run(job.id);
  // @ts-expect-error a progress may be missing
  expectTypeOf(job.progress.summary).toBeObject();

  const tasks = await client.tasks.reserve(1, { batchSize: 8 }, { timeoutMs: 1, retries: 0 });
  expectTypeOf(tasks).toExtend<Task[]>();
  expectTypeOf<Task['id']>().toEqualTypeOf<string>();
  // @ts-expect-error the option is batchSize; batch_size is the wire's
  await client.tasks.reserve(1, { batch_size: 8 });

  // @ts-expect-error an error without its image loses the image (T27)
  await client.results.submit(1, [{ reply_subject: 's', result: { error: 'e' } }]);
  const result: TaskResult = { reply_subject: 's', result: { error: 'e', image_id: '1' } };
  await client.results.submit(1, [result, encodeResult(result)]);

  const report = await client.pipelines.register(1, []);
  expectTypeOf(report).toEqualTypeOf<RegistrationReport>();
  expectTypeOf(report.pipelines).toEqualTypeOf<readonly Pipeline[]>();
  // @ts-expect-error a pipeline needs its version
  await client.pipelines.register(1, [{ name: 'n', slug: 's', algorithms: [] }]);

  const { api_key } = await client.processingServices.generateKey(1, 2);
  expectTypeOf(api_key).toEqualTypeOf<Secret>();
  // @ts-expect-error a secret is no string; reveal() says that you mean it
  const text: string = api_key;
  expectTypeOf(text).toBeString();
  new AntennaClient({ apiKey: api_key });
}

export async function provisioning(client: AntennaClient) {
  const ask = { project: 1, serviceName: 'moth-worker', pipelines: [] } satisfies ProvisionOptions;
  const { key, registration } = await provision(client, { ...ask, rotateKey: true });
  expectTypeOf(key).toEqualTypeOf<ProvisionedKey | undefined>();
  expectTypeOf(registration).toEqualTypeOf<RegistrationReport | undefined>();
  // @ts-expect-error a kept key is not there to be written
  await writeKeyFile('/run/key', key);
  if (key) await writeKeyFile('/run/key', key, { overwrite: false });
  // @ts-expect-error a misspelt option would keep the old key without a word
  await provision(client, { ...ask, rotatekey: true });
  const report = await checkCredential(client, { projects: [1] });
  expectTypeOf(report.dialect).toEqualTypeOf<Dialect | undefined>();
  // @ts-expect-error a report is read, not written
  report.valid = true;
}

export function configurations() {
  const algorithms = [{ key: 'box', name: 'Box', task_type: 'detection' }];
  const base = { name: 'Boxes', slug: 'boxes', version: 1, algorithms };
  definePipeline({
    ...base,
    configSchema: z.object({ threshold: z.number().default(0.5) }),
    process: (image, { config }) => {
      expectTypeOf(config.threshold).toEqualTypeOf<number>();
      expectTypeOf(image.detections).toEqualTypeOf<readonly TaskDetection[]>();
      // @ts-expect-error the schema has no such key
      expectTypeOf(config.treshold).toBeNever();
      return { detections: [{ bbox: null, features: new Float32Array(4), rotation: 2 }] };
    },
  });
  definePipeline({
    ...base,
    process: (_, { config }) => {
      expectTypeOf(config).toEqualTypeOf<Readonly<Record<string, unknown>>>();
      return { detections: [] };
    },
  });
}

export function failures(error: unknown): string {
  return error instanceof AntennaError ? error.code : '';
}
