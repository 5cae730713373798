import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createContractServer } from 'antenna-sdk/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { installForFile, parsed, startSite, writeModule, type Site } from './harness.js';

const { cli, cleanups } = await installForFile();
let site: Site;

beforeEach(async () => {
  site = await startSite();
  cleanups.push(() => site.close());
});

describe('antenna doctor', () => {
  it('finds nothing wrong with a machine that can work, and says what to run next', async () => {
    const cwd = cli.work();
    writeModule(cwd);
    const args = [
      'doctor',
      '--module',
      'spots.mjs',
      '--spool',
      'spool',
      '--project',
      String(site.project.id),
    ];
    const { code, stdout, stderr } = await cli.run(args, { cwd, env: site.env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/✓ credential {2}key of the service field-station, accepted/);
    expect(stdout).toMatch(/✓ projects {4}gets tasks of \d+ Meadow/);
    expect(stdout).toMatch(/✓ jobs {8}1 open for spots/);
    expect(stdout).toMatch(/✓ spool .* can be written/);
    expect(stdout).toContain(`Next: antenna run --module spots.mjs --project ${site.project.id}`);
    expect(stdout).not.toContain(site.key.slice(9, 21));
  });

  it('takes a task only when told to, and then says whether its image can be downloaded', async () => {
    const without = await cli.run(['doctor', '--pipeline', 'spots', '--json'], { env: site.env });
    expect(site.job.ledger.total('delivered')).toBe(0);
    expect(without.code).toBe(0);
    const { code, stdout } = await cli.run(['doctor', '--pipeline', 'spots', '--take-task', '--json'], {
      env: site.env,
    });
    expect(code).toBe(0);
    const checks = parsed(stdout)['checks'] as { name: string; status: string; detail: string }[];
    expect(checks.find(({ name }) => name === 'image')).toMatchObject({ status: 'ok' });
    expect(site.job.ledger.total('delivered')).toBe(1);
  });

  it('shows GPUs where nvidia-smi is, and only those that CUDA_VISIBLE_DEVICES leaves', async () => {
    const bin = join(cli.work(), 'bin');
    mkdirSync(bin);
    const smi = join(bin, 'nvidia-smi');
    writeFileSync(
      smi,
      '#!/bin/sh\necho "0, NVIDIA H100 80GB HBM3, 81559, 512, 7"\necho "1, NVIDIA A2, 15356, 0, [N/A]"\n',
    );
    chmodSync(smi, 0o755);
    const env = { ...site.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    expect((await cli.run(['doctor'], { env })).stdout).toContain(
      '0: NVIDIA H100 80GB HBM3, 81559 MiB; 1: NVIDIA A2, 15356 MiB',
    );
    const one = await cli.run(['doctor'], { env: { ...env, CUDA_VISIBLE_DEVICES: '1' } });
    expect(one.stdout).toContain('gpu         1: NVIDIA A2');
  });

  it('ends with 1 and gives the fix for each thing that would stop a worker', async () => {
    const cwd = cli.work();
    writeFileSync(join(cwd, 'file'), '');
    writeFileSync(join(cwd, 'broken.mjs'), 'export const nothing = 1;');
    const env = { ...site.env, ANTENNA_API_KEY: 'prefix01.Zq7RkP2mXv9LbN4tYw6HcJ8sDf3GaE5u' };
    const { code, stdout } = await cli.run(['doctor', '--spool', 'file', '--module', 'broken.mjs'], {
      cwd,
      env,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ spool .*cannot be written/);
    expect(stdout).toMatch(/✗ pipelines .*exports no pipeline/);
    expect(stdout).toMatch(/✗ credential .*does not accept this key[^\n]*\n\s+→ use the newest key/);
    expect(stdout).toContain('3 of');
    expect(stdout).not.toContain('Zq7RkP2mXv9L');
  });

  it('tells a revoked key, an unreachable server, a name that is none, and what is no Antenna apart', async () => {
    const page = createServer((_, response) =>
      response.setHeader('content-type', 'text/html').end('<html>Welcome</html>'),
    );
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => page.close());
    const other = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
    const doctor = async (url: string): Promise<string> => {
      const { code, stdout } = await cli.run(['doctor'], { env: { ...site.env, ANTENNA_API_URL: url } });
      expect(code).toBe(1);
      return stdout;
    };
    expect(await doctor('http://127.0.0.1:9')).toMatch(/✗ answer .*does not answer \(ECONNREFUSED\)/);
    expect(await doctor('http://no-such-host.invalid')).toMatch(/✗ name .*cannot be resolved/);
    expect(await doctor('antenna.example.org')).toMatch(/✗ address .*no URL/);
    expect(await doctor(other)).toMatch(/✗ credential .*(?:JSON|HTML|Antenna)/i);
  });

  it('says that a key is no credential for a server without keys', async () => {
    const server = createContractServer({ dialect: 'token' });
    cleanups.push(() => server.close());
    const { origin } = await server.listen();
    server.project({ name: 'Public' });
    const { code, stdout } = await cli.run(['doctor'], { env: { ...site.env, ANTENNA_API_URL: origin } });
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ credential .*no API keys[^\n]*\n\s+→ set token to a superuser’s token/);
  });
});

describe('antenna provision, register and keys', () => {
  it('make a service and a key in a file, register, check and rotate, and never show a key', async () => {
    const cwd = cli.work();
    writeModule(cwd);
    const staff = site.server.user({ staff: true, email: 'staff@example.org', password: 'not for printing' });
    const env = {
      ANTENNA_API_URL: site.url,
      ANTENNA_STAFF_EMAIL: staff.email,
      ANTENNA_STAFF_PASSWORD: staff.password,
    };
    const common = ['--project', String(site.project.id), '--service-name', 'moth-worker'];
    const made = await cli.run(['provision', ...common, '--module', 'spots.mjs'], { cwd, env });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const keyFile = join(cwd, 'antenna-api-key');
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const first = readFileSync(keyFile, 'utf8').trim();
    expect(made.stdout).toContain(`made a key, in ${keyFile}`);
    expect(made.stdout).toContain('registered: spots');
    expect(made.stdout).not.toContain(first.slice(9, 21));

    const again = await cli.run(['provision', ...common, '--json'], { cwd, env });
    expect(parsed(again.stdout)).toMatchObject({ ok: true, serviceOutcome: 'found', keyOutcome: 'kept' });

    const rotated = await cli.run(['keys', 'rotate', ...common], { cwd, env });
    expect(rotated.code).toBe(0);
    const second = readFileSync(keyFile, 'utf8').trim();
    expect(second).not.toBe(first);
    const check = (key: string): Promise<{ code: number | null; stdout: string }> =>
      cli.run(['keys', 'check', '--json'], { cwd, env: { ANTENNA_API_URL: site.url, ANTENNA_API_KEY: key } });
    expect((await check(first)).code).toBe(4);
    expect(parsed((await check(second)).stdout)).toMatchObject({
      valid: true,
      service: { name: 'moth-worker' },
    });
  });

  it('say who may provision when the user may not', async () => {
    const user = site.server.user({ email: 'guest@example.org' });
    const env = { ANTENNA_API_URL: site.url, ANTENNA_API_AUTH_TOKEN: user.token };
    const { code, stderr } = await cli.run(
      ['provision', '--project', String(site.project.id), '--service-name', 'x'],
      { env },
    );
    expect(code).toBe(4);
    expect(stderr).toMatch(/staff/);
  });

  it('registers with every project in which it may, and again without changing anything', async () => {
    const cwd = cli.work();
    writeModule(cwd);
    const second = site.server.project({ name: 'Wood' });
    site.service.join(second);
    for (let time = 0; time < 2; time++) {
      const { code, stdout } = await cli.run(['register', '--module', 'spots.mjs', '--json'], {
        cwd,
        env: site.env,
      });
      expect(code).toBe(0);
      expect(parsed(stdout)).toMatchObject({
        ok: true,
        projects: [{ project: site.project.id }, { project: second.id }],
      });
    }
  });

  it('ends with 1 when one project failed, and still does the others', async () => {
    const cwd = cli.work();
    writeModule(cwd);
    const args = [
      'register',
      '--module',
      'spots.mjs',
      '--project',
      '4711',
      '--project',
      String(site.project.id),
    ];
    const { code, stdout } = await cli.run(args, { cwd, env: site.env });
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ project 4711: failed/);
    expect(stdout).toContain('1 of 2 projects have the pipelines');
  });

  it('takes the positional name of the Python worker, and appends the host to its variable alone', async () => {
    const server = createContractServer({ dialect: 'token' });
    cleanups.push(() => server.close());
    const { origin } = await server.listen();
    server.project({ name: 'Meadow' });
    const cwd = cli.work();
    writeModule(cwd);
    const env = { ANTENNA_API_URL: origin, ANTENNA_API_AUTH_TOKEN: server.user({ superuser: true }).token };
    const named = await cli.run(['worker', 'register', 'My Worker', '--module', 'spots.mjs'], { cwd, env });
    expect(named).toMatchObject({ code: 0, stderr: 'Took "My Worker" for --service-name.\n' });
    const migrant = { ...env, AMI_ANTENNA_SERVICE_NAME: 'AMI Data Companion' };
    expect((await cli.run(['register', '--module', 'spots.mjs'], { cwd, env: migrant })).code).toBe(0);
    const bodies = server.requests
      .filter(({ method, path }) => method === 'POST' && path.includes('pipelines'))
      .map(({ body }) => JSON.stringify(body));
    expect(bodies[0]).toContain('My Worker');
    const { hostname } = await import('node:os');
    expect(bodies.at(-1)).toContain(`AMI Data Companion (${hostname()})`);
  });
});

describe('antenna jobs and job', () => {
  it('list open jobs with their progress, for people and for machines', async () => {
    const { code, stdout } = await cli.run(['jobs', '--pipeline', 'spots'], { env: site.env });
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`${site.job.id} +STARTED +0/4 .* spots`));
    const list = JSON.parse((await cli.run(['jobs', '--json'], { env: site.env })).stdout) as unknown;
    expect(list).toEqual([
      expect.objectContaining({ id: site.job.id, done: 0, total: 4, failed: 0, pipeline: 'spots' }),
    ]);
  });

  it('shows a job’s stages as bars, and what the server calls it cannot move the terminal', async () => {
    const evil = site.project.job({ pipeline: { id: 1 }, images: 1, name: 'night \u001b[2J\u0007 12' });
    const { code, stdout } = await cli.run(['job', String(evil.id)], { env: site.env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/Process +·+ +0 % +/);
    expect(stdout).not.toMatch(/\u001b|\u0007/);
  });

  it('watches a job to its end, and ends with 1 when it was cancelled', async () => {
    const watching = cli.start(['job', String(site.job.id), '--watch', '--every', '100ms'], {
      env: site.env,
    });
    await expect.poll(() => watching.stdout(), { timeout: 10_000 }).toContain('STARTED');
    site.job.cancel();
    const { code, stdout } = await watching.finished;
    expect(code).toBe(1);
    expect(stdout).toMatch(/REVOKED|CANCELING/);
  });

  it.each([
    ['a job that does not exist', ['job', '4711'], {}, 1],
    ['a server that is away', ['jobs'], { ANTENNA_API_URL: 'http://127.0.0.1:9' }, 3],
    ['a key that was revoked', ['jobs'], { ANTENNA_API_KEY: 'prefix01.Zq7RkP2mXv9LbN4tYw6HcJ8sDf3GaE5u' }, 4],
  ])('ends with its own code for %s', async (_title, args, env, expected) => {
    const { code, stderr } = await cli.run(args, { env: { ...site.env, ...env } });
    expect(code).toBe(expected);
    expect(stderr).toMatch(/^antenna: /);
  });
});
