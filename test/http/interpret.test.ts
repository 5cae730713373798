import { afterEach, describe, expect, it } from 'vitest';
import { clientOver, closeAll, failure, KEY, PROJECT } from '../support/calls.js';

afterEach(closeAll);

const HIDDEN = KEY.slice(9);
const answer = (
  status: number,
  body: string | null,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) => clientOver(() => Promise.resolve(new Response(body, { status, headers })), { retries: 0 });

describe('an answer', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/problem+json',
  ])('of type %s is read', async (type) => {
    const client = answer(200, JSON.stringify(PROJECT), { 'content-type': type });
    expect(await client.projects.get(1)).toMatchObject(PROJECT);
  });

  it.each(['text/html', 'text/plain', 'application/jsonp', 'text/json-like', ''])(
    'of type %j is not',
    async (type) => {
      const headers = type === '' ? {} : { 'content-type': type };
      const body = type === '' ? Buffer.from(JSON.stringify(PROJECT)) : JSON.stringify(PROJECT);
      const client = clientOver(() => Promise.resolve(new Response(body, { headers })));
      expect(await failure(client.projects.get(1))).toMatchObject({ code: 'contract_not_json', attempts: 1 });
    },
  );

  it.each([300, 301, 302, 303, 304, 307, 308])(
    'of status %i is no success, for reading as for writing',
    async (status) => {
      for (const method of ['get', 'run'] as const) {
        const client = answer(status, null, { location: 'https://evil.example/api/v2/x/?token=1' });
        const error = await failure(method === 'get' ? client.jobs.get(1) : client.jobs.run(1));
        expect(error).toMatchObject({ code: 'contract_redirect', status, attempts: 1 });
        expect(error.message).toContain('https://evil.example/api/v2/x/');
        expect(error.message).not.toContain('token=1');
      }
    },
  );

  it('that redirects to nowhere says no place', async () => {
    expect((await failure(answer(301, null, {}).projects.get(1))).message).toContain(
      'redirects to elsewhere',
    );
  });

  it('that is no JSON though it says so is damage, and is not quoted', async () => {
    const error = await failure(answer(200, `{"id":1,"name":"${HIDDEN}`).projects.get(1));
    expect(error).toMatchObject({ code: 'contract_bad_json' });
    expect(error.message).not.toContain(HIDDEN.slice(0, 12));
  });

  it.each([
    [400, 'BadRequestError', 'bad_request'],
    [401, 'AuthenticationError', 'authentication'],
    [403, 'PermissionDeniedError', 'permission_denied'],
    [404, 'NotFoundError', 'not_found'],
    [405, 'AntennaApiError', 'api'],
    [413, 'PayloadTooLargeError', 'payload_too_large'],
    [418, 'AntennaApiError', 'api'],
    [429, 'RateLimitError', 'rate_limited'],
    [500, 'ServerError', 'server'],
    [599, 'ServerError', 'server'],
  ])('of status %i is a %s', async (status, name, code) => {
    const error = await failure(answer(status, '{"detail":"No."}').projects.get(1));
    expect(error).toMatchObject({
      name,
      code,
      status,
      detail: 'No.',
      body: { detail: 'No.' },
      method: 'GET',
      path: '/projects/1/',
    });
  });

  it('with an error in HTML has no body and no words of the page', async () => {
    const error = await failure(
      answer(500, '<html>Traceback: secret', { 'content-type': 'text/html' }).projects.get(1),
    );
    expect(error['body']).toBeUndefined();
    expect(error.message).not.toContain('Traceback');
  });

  it('names its request by the id that the server gave it, if it is a fit one', async () => {
    const named = answer(404, '{}', { 'content-type': 'application/json', 'x-request-id': 'srv-7' });
    expect(await failure(named.projects.get(1))).toMatchObject({ requestId: 'srv-7' });
    const own = await failure(answer(404, '{}').projects.get(1));
    expect(own['requestId']).toMatch(/^[0-9a-f-]{36}$/);
    const endless = answer(404, '{}', {
      'content-type': 'application/json',
      'x-request-id': 'x'.repeat(9_000),
    });
    expect(String((await failure(endless.projects.get(1)))['requestId']).length).toBeLessThan(201);
  });

  it.each([
    ['its request id', { 'content-type': 'application/json', 'x-request-id': `id-${KEY}` }, 404],
    [
      'its request id, in part',
      { 'content-type': 'application/json', 'x-request-id': HIDDEN.slice(3, 20) },
      404,
    ],
    ['its content type', { 'content-type': `text/${HIDDEN}` }, 200],
    ['the place it redirects to', { location: `/path/${HIDDEN}/` }, 302],
  ] as [string, Record<string, string>, number][])(
    'that echoes the key in %s does not get it into the error',
    async (_, headers, status) => {
      const error = await failure(answer(status, status === 302 ? null : '{}', headers).projects.get(1));
      const text = `${JSON.stringify(error)} ${error.message} ${error.stack ?? ''}`;
      expect(text).not.toContain(HIDDEN.slice(3, 15));
    },
  );
});
