import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  AntennaApiError,
  AntennaClient,
  AntennaContractError,
  silentLogger,
  type FetchLike,
} from 'antenna-sdk';
import { describe, expect, it } from 'vitest';

const FOLDER = fileURLToPath(new URL('../../../shared/contract/recordings/', import.meta.url));
const present = existsSync(FOLDER);

interface Exchange {
  request: { method: string; path: string; body?: Record<string, unknown> };
  response: { status: number; headers?: Record<string, string>; body?: unknown; html?: boolean };
}

const recordings = present
  ? ['token', 'api-key'].flatMap((dialect) =>
      readdirSync(`${FOLDER}${dialect}`).map((file) => {
        const { exchanges } = JSON.parse(readFileSync(`${FOLDER}${dialect}/${file}`, 'utf8')) as {
          exchanges: Exchange[];
        };
        return { name: `${dialect}/${file}`, exchanges };
      }),
    )
  : [];

/** The call of ours that gets the answer to this request, if there is one. */
function callFor(
  client: AntennaClient,
  { method, path }: Exchange['request'],
): (() => Promise<unknown>) | undefined {
  const [route = ''] = path.split('?');
  const id = Number(/\d+/.exec(route)?.[0] ?? 1);
  const calls: [string, RegExp, () => Promise<unknown>][] = [
    ['POST', /^\/auth\/token\/login\/$/, () => client.auth.login({ email: 'a@b.c', password: 'p' })],
    ['POST', /^\/auth\/token\/logout\/$/, () => client.auth.logout()],
    ['GET', /^\/users\/me\/$/, () => client.auth.me()],
    ['GET', /^\/projects\/$/, async () => client.projects.list()],
    ['GET', /^\/projects\/\w+\/$/, () => client.projects.get(id)],
    ['GET', /^\/projects\/\w+\/pipelines\/$/, async () => client.pipelines.listForProject(id)],
    ['POST', /^\/projects\/\w+\/pipelines\/$/, () => client.pipelines.register(id, [])],
    ['GET', /^\/ml\/pipelines\/$/, async () => client.pipelines.list()],
    ['GET', /^\/ml\/pipelines\/\w+\/$/, () => client.pipelines.get(id)],
    ['GET', /^\/ml\/processing_services\/$/, async () => client.processingServices.list(id)],
    ['POST', /^\/ml\/processing_services\/$/, () => client.processingServices.create(id, { name: 'w' })],
    ['GET', /^\/ml\/processing_services\/\w+\/$/, () => client.processingServices.get(1, id)],
    ['GET', /^\/ml\/processing_services\/\w+\/status\/$/, () => client.processingServices.status(id)],
    [
      'POST',
      /^\/ml\/processing_services\/\w+\/generate_key\/$/,
      () => client.processingServices.generateKey(1, id),
    ],
    ['GET', /^\/jobs\/$/, () => client.jobs.open({ pipelines: ['a'] })],
    ['POST', /^\/jobs\/$/, () => client.jobs.create({ name: 'j', project_id: 1 })],
    ['GET', /^\/jobs\/\w+\/$/, () => client.jobs.get(id)],
    ['POST', /^\/jobs\/\w+\/run\/$/, () => client.jobs.run(id)],
    ['POST', /^\/jobs\/\w+\/cancel\/$/, () => client.jobs.cancel(id)],
    ['POST', /^\/jobs\/\w+\/retry\/$/, () => client.jobs.retry(id)],
    ['POST', /^\/jobs\/\w+\/tasks\/$/, () => client.tasks.reserve(id, { batchSize: 1 })],
    ['POST', /^\/jobs\/\w+\/result\/$/, () => client.results.submit(id, [])],
  ];
  return calls.find(([verb, pattern]) => verb === method && pattern.test(route))?.[2];
}

/** Plays one recorded answer to the client, whatever it asks. */
function clientFor({ status, headers = {}, body, html }: Exchange['response']): AntennaClient {
  const text = body === undefined ? (html ? '<html></html>' : '') : JSON.stringify(body);
  const fetch: FetchLike = () =>
    Promise.resolve(new Response(status === 204 ? null : text, { status, headers }));
  return new AntennaClient({
    baseUrl: 'https://antenna.example',
    dialect: 'api-key',
    fetch,
    logger: silentLogger,
    retries: 0,
  });
}

const title = present
  ? 'what the client makes of recorded answers'
  : 'recorded answers (skipped: the recordings are not here)';

describe.skipIf(!present)(title, () => {
  it.each(recordings)('$name', async ({ exchanges }) => {
    let played = 0;
    for (const { request, response } of exchanges) {
      const client = clientFor(response);
      const call = callFor(client, request);
      if (call === undefined) continue;
      played += 1;
      const outcome = await call().catch((error: unknown) => error);
      const { status, body } = response;
      const where = `${request.method} ${request.path} → ${status}`;
      if (status < 300 && !response.html) expect(outcome, where).not.toBeInstanceOf(Error);
      else if (status < 400) expect(outcome, where).toBeInstanceOf(AntennaContractError);
      else {
        expect(outcome, where).toBeInstanceOf(AntennaApiError);
        expect(outcome, where).toMatchObject({ status });
        const { detail, fieldErrors } = outcome as AntennaApiError;
        expect(detail.length, where).toBeGreaterThan(3);
        const named = typeof body === 'object' && body !== null && ('detail' in body || 'error' in body);
        if (status === 400 && body !== undefined && !named)
          expect(Object.keys(fieldErrors), where).not.toEqual([]);
      }
    }
    expect(played).toBeGreaterThan(0);
  });
});
