import { checkCredential, Credential, staticSource, type CredentialReport } from 'antenna-sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, failure, KEY, TOKEN } from '../support/calls.js';
import { leaksOf } from '../support/leaks.js';
import { CARRIERS, closeWorlds, world } from './world.js';

afterEach(closeAll);
afterEach(closeWorlds);

const whats = (report: CredentialReport): string[] => report.cannot.map(({ what }) => what);

describe.each(CARRIERS)('checkCredential, over %s', (carrier) => {
  it('of a key: says whose it is and which projects it serves, and why not a draft (T14)', async () => {
    const { client, server, project } = await world('api-key', carrier);
    server.project({ name: 'Foreign' }).service();
    const draft = server.project({ draft: true });
    const wood = server.project({ name: 'Wood' });
    const service = project.service({ name: 'moths' }).join(wood).join(draft);
    const report = await checkCredential(client({ apiKey: service.key().value }));
    expect(report).toMatchObject({
      verdict: 'accepted',
      valid: true,
      kind: 'key',
      scheme: 'Api-Key',
      dialect: 'api-key',
      user: undefined,
      service: { id: service.id, name: 'moths' },
      complete: true,
      unknown: [],
      summary: `The API key is accepted by this api-key server and gets tasks of the projects ${project.id}, ${wood.id}`,
    });
    expect(report.projects).toEqual([
      { id: project.id, name: 'Meadow', serves: true, why: undefined },
      { id: wood.id, name: 'Wood', serves: true, why: undefined },
      { id: draft.id, name: undefined, serves: false, why: expect.stringContaining('draft') as string },
    ]);
    expect(whats(report)).toEqual(['create_services_and_keys']);
  });

  it('of a key on a token server: says that it is ignored, and what to set (T7)', async () => {
    const { client } = await world('token', carrier);
    const report = await checkCredential(client({ apiKey: KEY }));
    expect(report).toMatchObject({
      verdict: 'ignored',
      valid: false,
      kind: 'key',
      dialect: 'token',
      projects: [],
    });
    expect(report.cannot).toMatchObject([
      { what: 'anything', change: expect.stringContaining('superuser') as string },
    ]);
    expect(report.summary).toContain('is ignored by this token server');
  });

  it.each(['api-key', 'token'] as const)(
    'of user tokens on a %s server: only a superuser’s works',
    async (dialect) => {
      const { client, server, project } = await world(dialect, carrier);
      const root = server.user({ superuser: true, name: 'Root' });
      const report = await checkCredential(client({ token: root.token }));
      expect(report).toMatchObject({
        verdict: 'accepted',
        kind: 'user',
        dialect,
        user: { id: root.id, name: 'Root' },
        projects: [{ id: project.id, name: 'Meadow', serves: true }],
      });
      expect(whats(report)).toEqual(dialect === 'api-key' ? ['register_pipelines'] : []);
      const owner = server.user();
      const own = server.project({ owner });
      const owners = await checkCredential(client({ token: owner.token }), { projects: [own.id, 4_000] });
      expect(owners.projects).toMatchObject([
        { id: own.id, serves: false, why: 'this user is no superuser' },
        { id: 4_000, serves: false, why: expect.stringContaining('missing') as string },
      ]);
      expect(whats(owners)).toContain('take_tasks');
      expect(owners.unknown).toEqual([expect.stringContaining('staff')]);
      expect((await checkCredential(client({ token: owner.token }))).projects).toEqual([]);
    },
  );
});

describe('checkCredential', () => {
  it('is no oracle: the reports on keys that are refused are the same, and so is what it asks', async () => {
    const { client, project, server } = await world();
    const service = project.service();
    const revoked = service.key();
    revoked.revoke();
    const live = service.key();
    const keys = [
      revoked.value,
      // The public half of a live key, with a secret half of our own.
      `${live.prefix}.${'x'.repeat(32)}`,
      `${revoked.prefix}.${'x'.repeat(32)}`,
      KEY,
    ];
    const reports: CredentialReport[] = [];
    const asked: string[][] = [];
    for (const apiKey of keys) {
      const before = server.requests.length;
      reports.push(await checkCredential(client({ apiKey })));
      asked.push(
        server.requests.slice(before).map(({ method, path, status }) => `${method} ${path} ${status ?? ''}`),
      );
    }
    expect(reports[0]).toMatchObject({
      verdict: 'rejected',
      kind: 'key',
      dialect: 'api-key',
      service: undefined,
      projects: [],
    });
    expect(reports[0]?.summary).toContain('the server does not say which');
    for (const report of reports) expect(report).toEqual(reports[0]);
    for (const requests of asked) expect(requests).toEqual(asked[0]);
    expect(JSON.stringify(reports)).not.toContain(live.prefix);
    expect(live.usageCount).toBe(0);
  });

  it('asks the server, whatever answers the client keeps', async () => {
    const { client, server } = await world();
    const user = server.user();
    const keeping = client({ token: user.token, cache: {} });
    expect(await checkCredential(keeping)).toMatchObject({ valid: true });
    user.logout();
    expect(await checkCredential(keeping)).toMatchObject({ valid: false, verdict: 'rejected' });
  });

  it('only reads, and sends no credential but the configured one', async () => {
    const { client, project, server } = await world();
    const key = project.service().key();
    const seen = new Set<string>();
    server.faults.intervene(async ({ method, headers }, next) => {
      seen.add(`${method} ${headers['authorization'] ?? ''}`);
      return next();
    });
    await checkCredential(client({ apiKey: key.value }));
    expect([...seen]).toEqual([`GET Api-Key ${key.value}`]);
    expect(project.service().lastSeen).toBeNull();
  });

  it('is frozen, plain and printable, without a secret', async () => {
    const { client, project, server } = await world();
    const key = project.service().key();
    const user = server.user({ superuser: true });
    const clients = [client({ apiKey: key.value }), client({ token: user.token }), client({ apiKey: KEY })];
    for (const one of clients) {
      const report = await checkCredential(one);
      expect(JSON.parse(JSON.stringify(report))).toMatchObject({
        valid: report.valid,
        summary: report.summary,
      });
      expect(structuredClone(report)).toEqual(report);
      for (const part of [report, report.projects, report.cannot, ...report.cannot, report.service]) {
        expect(Object.isFrozen(part)).toBe(true);
      }
      expect(leaksOf(report, [key.value, user.token, KEY])).toEqual([]);
    }
  });

  it('of a token that is over, a token that Antenna does not read, one that a proxy drops, and none', async () => {
    const { client, server } = await world();
    expect(await checkCredential(client({ token: TOKEN }))).toMatchObject({
      verdict: 'rejected',
      kind: 'user',
      dialect: 'api-key',
      cannot: [{ change: expect.stringContaining('log in again') as string }],
    });
    const bearer = client({ credentials: staticSource(Credential.bearer('a-gateway-token')) });
    expect(await checkCredential(bearer)).toMatchObject({
      verdict: 'ignored',
      kind: 'unknown',
      dialect: 'api-key',
      cannot: [{ why: expect.stringContaining('does not read this header') as string }],
    });
    const none = client({ credentials: staticSource(undefined) });
    expect(await checkCredential(none)).toMatchObject({
      verdict: 'missing',
      kind: 'none',
      scheme: undefined,
    });
    const user = server.user();
    server.faults.intervene(async (request, next) => {
      delete (request.headers as Record<string, string>)['authorization'];
      return next();
    });
    expect(await checkCredential(client({ token: user.token }))).toMatchObject({
      verdict: 'ignored',
      cannot: [{ change: expect.stringContaining('proxy') as string }],
    });
  });

  it('of a key behind a gateway, and of a gateway that refuses', async () => {
    const { client, project, server } = await world();
    const key = project.service().key();
    const gateway = client({ credentials: staticSource(Credential.bearer('a-gateway-token')) });
    const translation = server.faults.intervene(async (request, next) => {
      (request.headers as Record<string, string>)['authorization'] = `Api-Key ${key.value}`;
      return next();
    });
    const report = await checkCredential(gateway);
    expect(report).toMatchObject({
      verdict: 'accepted',
      kind: 'key',
      dialect: 'api-key',
      service: undefined,
    });
    expect(report.unknown).toEqual([expect.stringContaining('Which service the key belongs to')]);
    translation.remove();
    for (const status of [401, 403]) {
      const wall = server.faults.answer({ status, body: '<h1>No entry</h1>' });
      expect(await checkCredential(gateway)).toMatchObject({
        verdict: 'rejected',
        kind: 'unknown',
        dialect: undefined,
      });
      wall.remove();
    }
  });

  it('of a key that is not its service’s newest: is valid, and says what it cannot tell', async () => {
    const { client, project } = await world();
    const service = project.service();
    const older = service.key();
    service.key();
    const report = await checkCredential(client({ apiKey: older.value }));
    expect(report).toMatchObject({ valid: true, service: undefined, projects: [] });
    expect(report.unknown).toEqual([expect.stringContaining('a newer key may exist beside it')]);
  });

  it('looks at the projects that it is given, and says when it has not looked at all', async () => {
    const { client, project, server } = await world();
    const key = project.service({ name: 'first' }).key();
    for (let index = 0; index < 100; index++) server.project();
    const last = server.project().service({ name: 'last' });
    const far = client({ apiKey: last.key().value });
    expect(await checkCredential(far)).toMatchObject({ service: undefined, complete: false });
    const ids = [...last.projectIds];
    expect(await checkCredential(far, { projects: ids })).toMatchObject({
      service: { name: 'last' },
      complete: true,
    });
    const hidden = await checkCredential(client({ apiKey: key.value }), { projects: [4_000, project.id] });
    expect(hidden).toMatchObject({ service: { name: 'first' } });
    expect(await failure(checkCredential(far, { projects: ['01'] as never }))).toMatchObject({
      code: 'config',
    });
  });

  it.each([
    [
      'a reset',
      (reset: () => void, _answer: (status: number) => void) => {
        reset();
      },
      'connection',
    ],
    [
      'a failing server',
      (_reset: () => void, answer: (status: number) => void) => {
        answer(500);
      },
      'server',
    ],
    [
      'something that is no Antenna',
      (_reset: () => void, answer: (status: number) => void) => {
        answer(200);
      },
      'contract_not_json',
    ],
  ])('throws for %s, which is not the credential’s fault', async (_, prepare, code) => {
    const { client, server } = await world();
    prepare(
      () => server.faults.resetBefore(),
      (status) => server.faults.answer({ status, body: '<h1>?</h1>' }),
    );
    expect(await failure(checkCredential(client({ token: TOKEN, retries: 0 })))).toMatchObject({ code });
  });

  it('throws when the provider gives no credential, and when the caller has had enough', async () => {
    const { client } = await world();
    const broken = client({
      credentials: {
        get: () => {
          throw new Error(`no: ${TOKEN}`);
        },
      },
    });
    const error = await failure(checkCredential(broken));
    expect(error).toMatchObject({ code: 'credential' });
    expect(leaksOf(error, [TOKEN])).toEqual([]);
    const signal = AbortSignal.abort(new Error('enough'));
    expect(await failure(checkCredential(client({ token: TOKEN }), { signal }))).toMatchObject({
      code: 'aborted',
    });
  });
});
