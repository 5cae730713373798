import { type LogMethod } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { clientOver, closeAll, failure } from '../support/calls.js';

afterEach(closeAll);

const project = (id: number) => ({ id, name: `p${id}` });

/** A server of `total` projects in pages, which may write its links as it likes. */
function projects(
  total: number,
  link: (offset: number, limit: number) => string | null | undefined = () => undefined,
) {
  const asked: URL[] = [];
  const fetch = (input: string): Promise<Response> => {
    const url = new URL(input);
    asked.push(url);
    const limit = Number(url.searchParams.get('limit') ?? 20);
    const offset = Number(url.searchParams.get('offset') ?? 0);
    const results = Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, index) =>
      project(offset + index),
    );
    const own =
      offset + limit < total
        ? `http://inner:8000/api/v2/projects/?limit=${limit}&offset=${offset + limit}`
        : null;
    const chosen = link(offset, limit);
    return Promise.resolve(
      Response.json({ count: total, next: chosen === undefined ? own : chosen, previous: null, results }),
    );
  };
  return { fetch, asked };
}

describe('a list', () => {
  it('is read page by page, each item once, in order', async () => {
    const { fetch, asked } = projects(7);
    const ids: number[] = [];
    for await (const { id } of clientOver(fetch).projects.list({ limit: 3 })) ids.push(id);
    expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(asked).toHaveLength(3);
  });

  it('stays on the client’s host and keeps its filters, whatever a next link says', async () => {
    const { fetch, asked } = projects(2, (offset) =>
      offset === 0 ? 'https://evil.example/api/v2/projects/?limit=1&offset=1&ordering=evil&user_id=9' : null,
    );
    const lines: string[] = [];
    const log: LogMethod = (_fields, message) => lines.push(message);
    const client = clientOver(fetch, { logger: { debug: log, info: log, warn: log, error: log } });
    await client.projects.list({ limit: 1, ordering: 'name', user_id: 3 }).toArray(10);
    expect(asked.map(({ host }) => host)).toEqual(['antenna.example', 'antenna.example']);
    expect(asked[1]?.searchParams.get('ordering')).toBe('name');
    expect(asked[1]?.searchParams.get('user_id')).toBe('3');
    expect(asked[1]?.searchParams.get('offset')).toBe('1');
    expect(lines.join()).toContain('another host');
  });

  it('is not read further than it is asked for', async () => {
    const { fetch, asked } = projects(100);
    expect(await clientOver(fetch).projects.list({ limit: 2 }).toArray(3)).toHaveLength(3);
    expect(asked).toHaveLength(2);
    expect(await clientOver(fetch).projects.list().toArray(0)).toEqual([]);
    expect(asked).toHaveLength(2);
  });

  it('asks for its first page once, however often it is awaited and read', async () => {
    const { fetch, asked } = projects(2);
    const list = clientOver(fetch).projects.list();
    const [first, again] = await Promise.all([list, list]);
    expect(first).toBe(again);
    expect(first.count).toBe(2);
    expect(await list.toArray(5)).toHaveLength(2);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['at itself', () => 'http://inner/?limit=3&offset=0'],
    ['back and forth', (offset: number) => `http://inner/?limit=3&offset=${offset === 0 ? 3 : 0}`],
    ['nowhere', () => 'http://'],
  ])('says so when a next link points %s: cut short it must not look whole', async (_, link) => {
    const { fetch, asked } = projects(100, link);
    const error = await failure(clientOver(fetch).projects.list({ limit: 3 }).toArray(1_000));
    expect(error).toMatchObject({ code: 'contract_off_schema', bodyPath: 'next', path: '/projects/' });
    expect(asked.length).toBeLessThan(5);
  });

  it('survives one empty page, and not an endless row of them', async () => {
    const holes = projects(0, (offset, limit) =>
      offset === 0 ? `http://x/?limit=${limit}&offset=${limit}` : null,
    );
    expect(await clientOver(holes.fetch).projects.list({ limit: 3 }).toArray(9)).toEqual([]);
    const endless = projects(0, (offset, limit) => `http://x/?limit=${limit}&offset=${offset + limit}`);
    expect(await failure(clientOver(endless.fetch).projects.list({ limit: 3 }).toArray(9))).toMatchObject({
      code: 'contract_off_schema',
    });
    expect(endless.asked.length).toBeLessThan(5);
  });

  it.each([
    [{ limit: 0 }, 'limit'],
    [{ limit: -3 }, 'limit'],
    [{ limit: 1.5 }, 'limit'],
    [{ limit: Number.NaN }, 'limit'],
    [{ offset: -1 }, 'offset'],
  ])('refuses %o, which the server would take for its own default (T18)', async (query, path) => {
    const { fetch, asked } = projects(1);
    expect(await failure(clientOver(fetch).projects.list(query))).toMatchObject({
      code: 'config',
      issues: [{ path }],
    });
    expect(asked).toEqual([]);
  });

  it.each([
    ['no count', { next: null, results: [] }],
    ['no next', { count: 0, results: [] }],
    ['no results', { count: 0, next: null }],
    ['results that are no list', { count: 0, next: null, results: {} }],
    ['an array', []],
    ['null', null],
  ])('with %s is no empty list', async (_, body) => {
    const client = clientOver(() => Promise.resolve(Response.json(body)));
    expect(await failure(client.projects.list().toArray(5))).toMatchObject({ code: 'contract_off_schema' });
  });

  it('names the path of the damage', async () => {
    const body = { count: 1, next: null, previous: null, results: [{ id: 'one', name: 'x' }] };
    const error = await failure(clientOver(() => Promise.resolve(Response.json(body))).projects.list());
    expect(error).toMatchObject({ bodyPath: 'results.0.id' });
    expect(error.message).toContain('results.0.id');
  });

  it('lets unknown fields through', async () => {
    const body = {
      count: 1,
      next: null,
      previous: null,
      results: [{ id: 1, name: 'x', brand_new: true }],
      more: 1,
    };
    expect(await clientOver(() => Promise.resolve(Response.json(body))).projects.list()).toMatchObject(body);
  });
});
