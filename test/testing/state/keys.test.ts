import { describe, expect, it } from 'vitest';
import { createWorld, take } from '../helpers.js';
import type { World } from '../helpers.js';

const me = (world: World, authorization: string) =>
  world.call('GET', '/projects/', undefined, { authorization });

async function rotate(world: World): Promise<string> {
  const path = `/ml/processing_services/${world.service.id}/generate_key/?project_id=${world.project.id}`;
  const { body } = await world.call('POST', path, undefined, { authorization: `Token ${world.user.token}` });
  return (body as { api_key: string }).api_key;
}

describe('API keys', () => {
  it('are refused alike when unknown, malformed and revoked', async () => {
    const world = createWorld();
    world.key.revoke();
    for (const value of [world.key.value, 'AAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB', 'nonsense']) {
      const answer = await me(world, `Api-Key ${value}`);
      expect(answer).toMatchObject({ status: 401, body: { detail: 'Invalid API key.' } });
      expect(answer.headers.get('www-authenticate')).toBe('Token');
    }
  });

  it('are revoked all at once by a rotation, which returns the only live one (T10)', async () => {
    const world = createWorld();
    const second = world.service.key();
    const fresh = await rotate(world);
    expect(fresh).toMatch(/^[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}$/);
    expect([world.key.revoked, second.revoked]).toEqual([true, true]);
    expect((await me(world, `Api-Key ${fresh}`)).status).toBe(200);
  });

  it('go on working after their expiry, unless the server enforces it (T9)', async () => {
    for (const enforceKeyExpiry of [false, true]) {
      const world = createWorld({ enforceKeyExpiry });
      world.key.expireAt(new Date(world.clock.wallNow() + 1000));
      expect((await me(world, `Api-Key ${world.key.value}`)).status).toBe(200);
      await world.clock.advance(1000);
      expect((await me(world, `Api-Key ${world.key.value}`)).status).toBe(enforceKeyExpiry ? 401 : 200);
    }
  });

  it('are ignored by a token server: reading works, taking tasks does not (T7)', async () => {
    const world = createWorld({ dialect: 'token' });
    const job = world.project.job({ pipeline: world.pipeline, images: 1 });
    const authorization = `Api-Key ${world.key.value}`;
    expect((await me(world, authorization)).status).toBe(200);
    const answer = await world.call('POST', `/jobs/${job.id}/tasks/`, { batch_size: 1 }, { authorization });
    expect(answer).toMatchObject({
      status: 401,
      body: { detail: 'Authentication credentials were not provided.' },
    });
  });

  it('work in every project of their service, and not in drafts (T14)', async () => {
    const world = createWorld();
    const other = world.server.project({ name: 'Other' });
    const draft = world.server.project({ name: 'Draft', draft: true });
    world.service.join(draft);
    const elsewhere = other.job({ pipeline: world.pipeline, images: 1 });
    const hidden = draft.job({ pipeline: world.pipeline, images: 1 });
    const status = async (id: number) =>
      (await world.call('POST', `/jobs/${id}/tasks/`, { batch_size: 1 })).status;
    expect(await status(elsewhere.id)).toBe(403);
    expect(await status(hidden.id)).toBe(404);
    world.service.join(other);
    expect(await take(world.call, elsewhere.id)).toHaveLength(1);
  });
});

describe('user tokens', () => {
  it('take tasks only if the user is a superuser (T11)', async () => {
    const world = createWorld({ dialect: 'token' });
    const job = world.project.job({ pipeline: world.pipeline, images: 1 });
    const manager = world.server.user({ staff: true });
    world.project.member(manager, 'ProjectManager');
    const answer = await world.call(
      'POST',
      `/jobs/${job.id}/tasks/`,
      { batch_size: 1 },
      {
        authorization: `Token ${manager.token}`,
      },
    );
    expect(answer.status).toBe(403);
  });

  it('die with a logout anywhere, and a stale one spoils the login itself (T12, T13)', async () => {
    const world = createWorld();
    const stale = world.user.token;
    world.user.logout();
    const credentials = { email: 'root@example.org', password: 'secret' };
    const spoilt = await world.call('POST', '/auth/token/login/', credentials, {
      authorization: `Token ${stale}`,
    });
    expect(spoilt.status).toBe(401);
    const login = await world.call('POST', '/auth/token/login/', credentials, { authorization: null });
    expect(login).toMatchObject({ status: 200, body: { auth_token: world.user.token } });
    expect(world.user.token).not.toBe(stale);
  });
});

describe('what workers say about themselves', () => {
  it('is merged: set by the server where it must be, never erased by empty values, at most 20 extras a time', async () => {
    const { call, service, project } = createWorld();
    const send = (info: unknown) =>
      call(
        'POST',
        `/projects/${project.id}/pipelines/`,
        { pipelines: [], client_info: info },
        {
          headers: { 'user-agent': 'worker/2', 'x-forwarded-for': '203.0.113.5, 10.0.0.1' },
        },
      );
    await send({ hostname: 'a', gpu: 'H100', ip: '1.1.1.1' });
    await send({ hostname: '', gpu: null, slots: 4, note: 'x'.repeat(600) });
    expect(service.clientInfo).toEqual({
      ip: '203.0.113.5',
      user_agent: 'worker/2',
      hostname: 'a',
      gpu: 'H100',
      slots: 4,
      note: 'x'.repeat(500),
    });
    await send(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`extra${index}`, 1])));
    expect(Object.keys(service.clientInfo ?? {}).filter((name) => name.startsWith('extra'))).toHaveLength(20);
  });
});
