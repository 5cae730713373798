// A strict TypeScript consumer. It is compiled three times (as an ES module and as CommonJS under `node16`, and under
// `bundler`) with the library's own declarations checked too.
import { AntennaClient, AntennaError, parseServerTimestamp, type Job, type TaskResult } from 'antenna-sdk';
import * as testing from 'antenna-sdk/testing';

const client: AntennaClient = new AntennaClient({
  baseUrl: 'http://localhost',
  token: '0123456789abcdef0123456789abcdef01234567',
  retries: 0,
  fetch: () => Promise.resolve(Response.json({ id: 4, email: 'a@example.org' })),
});

const result: TaskResult = {
  reply_subject: 'subject',
  result: { error: 'The image is no JPEG', image_id: '18' },
};

// @ts-expect-error an error without its image would be lost in silence
export const lost: TaskResult = { reply_subject: 'subject', result: { error: 'x' } };
// @ts-expect-error a misspelt option
export const misspelt = (): AntennaClient => new AntennaClient({ baseURL: 'http://localhost' });

export function started(job: Job): Date | undefined {
  return job.started_at ? parseServerTimestamp(job.started_at) : undefined;
}

async function main(): Promise<void> {
  const me = await client.auth.me();
  const email: string | undefined = me.email;
  if (email !== 'a@example.org') throw new Error(`unexpected: ${String(email)}`);
  const failure: unknown = await client.results.submit(1, [result]).catch((error: unknown) => error);
  if (!(failure instanceof AntennaError)) throw new Error('an answer of another shape must not pass');
  const code: string = failure.code;
  if (code === '' || typeof testing !== 'object') throw new Error('unexpected');
  await client.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
