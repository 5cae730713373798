import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateImage } from 'antenna-sdk/testing';
import { has, installForFile, SPOTS, writeModule, type Running } from './harness.js';

const { cli } = await installForFile();

interface Served {
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly projects: readonly { readonly id: number }[];
  readonly jobs: readonly { readonly id: number; readonly pipeline: string }[];
  readonly images: number;
}
interface Status {
  readonly jobs: readonly {
    readonly name: string;
    readonly status: string;
    readonly done: number;
    readonly total: number;
    readonly deliveries: number;
    readonly events: readonly { readonly kind: string }[];
  }[];
  readonly pictures: readonly {
    readonly path: string;
    readonly boxes: readonly { readonly label: string }[];
  }[];
  readonly projects: readonly { readonly services: readonly { readonly lastSeen?: string }[] }[];
}

async function serve(
  args: readonly string[],
  cwd = cli.work(),
): Promise<{ readonly served: Served; readonly command: Running }> {
  const command = cli.start(['serve', '--port', '0', '--json', ...args], { cwd });
  await expect.poll(() => command.stdout() + command.stderr(), { timeout: 15_000 }).toMatch(/\n\}\n/);
  return { served: JSON.parse(command.stdout()) as Served, command };
}
const statusOf = async ({ url }: Served): Promise<Status> =>
  (await (await fetch(`${url}/status.json`)).json()) as Status;

describe('antenna serve', () => {
  it('gives a worker that was started by its lines a job, and shows what became of it', async () => {
    const { served, command } = await serve(['--count', '5']);
    expect(served).toMatchObject({ images: 5, jobs: [], projects: [{ id: 1 }] });
    const cwd = cli.work();
    writeModule(cwd);
    const worker = await cli.run(['run', '--module', 'spots.mjs', '--project', '1', '--until', 'drained'], {
      cwd,
      env: served.environment,
    });
    expect(worker.code, worker.stderr).toBe(0);
    const status = await statusOf(served);
    expect(status.jobs).toMatchObject([
      { name: 'Images for spots', status: 'SUCCESS', done: 5, total: 5, deliveries: 5 },
    ]);
    expect(status.jobs[0]?.events[0]?.kind).toBeDefined();
    expect(status.pictures).toHaveLength(5);
    expect(status.pictures[0]?.boxes[0]?.label).toBe('<b>Arctia</b> caja');
    expect((await fetch(served.url + (status.pictures[0]?.path ?? ''))).headers.get('content-type')).toBe(
      'image/png',
    );
    expect(status.projects[0]?.services[0]?.lastSeen).toBeDefined();
    command.child.kill('SIGINT');
    expect((await command.finished).code).toBe(0);
  });

  it('has a page that asks nobody else for anything and shows no key', async () => {
    const { served } = await serve([]);
    const page = await fetch(`${served.url}/`);
    const html = await page.text();
    expect(page.headers.get('content-type')).toContain('text/html');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("img-src 'self' data:;");
    expect(html).not.toMatch(/(?:src|href)="(?!data:)/);
    expect(html).not.toMatch(/innerHTML|insertAdjacentHTML|https?:\/\/(?!www\.w3\.org)/);
    const key = served.environment['ANTENNA_API_KEY'] ?? '';
    await fetch(`${served.url}/api/v2/projects/`, { headers: { authorization: `Api-Key ${key}` } });
    const status = JSON.stringify(await statusOf(served));
    expect(status).toContain('/projects/');
    for (const secret of [key.slice(9), key.slice(0, 8)]) expect(html + status).not.toContain(secret);
  });

  it('serves a folder of photographs whatever they are called', async () => {
    const cwd = cli.work();
    mkdirSync(join(cwd, 'photos', 'night 2'), { recursive: true });
    const { bytes } = generateImage();
    for (const name of ['a b#1?.png', '<b>50%.jpg', 'night 2/ä.png', 'notes.txt'])
      writeFileSync(join(cwd, 'photos', name), bytes);
    const { served } = await serve(['--images', 'photos'], cwd);
    expect(served.images).toBe(3);
    writeModule(cwd);
    const args = ['run', '--module', 'spots.mjs', '--project', '1', '--until', 'drained'];
    const { code, stderr } = await cli.run(args, { cwd, env: served.environment });
    expect(code, stderr).toBe(0);
    const status = await statusOf(served);
    expect(status.jobs).toMatchObject([{ status: 'SUCCESS', done: 3, failed: 0 }]);
    expect(status.pictures.map(({ path }) => decodeURIComponent(path)).sort()).toEqual([
      '/images/<b>50%.jpg',
      '/images/a b#1?.png',
      '/images/night 2/ä.png',
    ]);
  });

  it('takes a seed, whose numbers and paths of images are of its own host', async () => {
    const cwd = cli.work();
    const seed = {
      dialect: 'api-key',
      projects: [
        {
          name: 'Dune',
          services: [{ name: 'buoy', keys: ['buoybuoy.0123456789abcdefghijklmnopqrstuv'] }],
          pipelines: [SPOTS],
          jobs: [
            { name: 'by number', pipeline: 'spots', images: 3 },
            { name: 'by path', pipeline: 'spots', images: ['images/1.png', '/images/2.png'] },
          ],
        },
      ],
    };
    writeFileSync(join(cwd, 'seed.json'), JSON.stringify(seed));
    const { served } = await serve(['--seed', 'seed.json', '--count', '2'], cwd);
    expect(served.environment['ANTENNA_API_KEY']).toBe('buoybuoy.0123456789abcdefghijklmnopqrstuv');
    writeModule(cwd);
    const args = ['run', '--module', 'spots.mjs', '--until', 'drained'];
    expect((await cli.run(args, { cwd, env: served.environment })).code).toBe(0);
    expect((await statusOf(served)).jobs).toMatchObject([
      { name: 'by path', status: 'SUCCESS', done: 2 },
      { name: 'by number', status: 'SUCCESS', done: 3 },
    ]);
  });

  it('is a server without keys with --dialect token', async () => {
    const { served } = await serve(['--dialect', 'token', '--count', '2']);
    const cwd = cli.work();
    writeModule(cwd);
    const args = ['run', '--module', 'spots.mjs', '--project', '1', '--until', 'drained'];
    const env = { ...served.environment, ANTENNA_SERVICE_NAME: 'buoy' };
    const { code, stderr } = await cli.run(args, { cwd, env });
    expect(code, stderr).toBe(0);
    expect((await statusOf(served)).jobs).toMatchObject([{ status: 'SUCCESS', done: 2 }]);
  });

  it('on a terminal says what to type next and how far the jobs are, until Ctrl-C', async ({ skip }) => {
    if (!(await has('python3'))) skip();
    const command = cli.start(['serve', '--port', '0'], { terminal: true, env: { npm_command: 'exec' } });
    await expect.poll(() => command.stdout(), { timeout: 15_000 }).toContain('Ctrl-C ends it all');
    const [, url = ''] = /export ANTENNA_API_URL=(\S+)/.exec(command.stdout()) ?? [];
    const [, key = ''] = /export ANTENNA_API_KEY=(\S+)/.exec(command.stdout()) ?? [];
    const cwd = cli.work();
    const args = ['register', '--module', writeModule(cwd), '--project', '1'];
    const env = { ANTENNA_API_URL: url, ANTENNA_API_KEY: key };
    expect((await cli.run(args, { cwd, env })).code).toBe(0);
    await expect.poll(() => command.stdout(), { timeout: 15_000 }).toMatch(/Job 1 .*0\/20/);
    expect(command.stdout()).toMatch(/export ANTENNA_API_URL=http:\/\/127\.0\.0\.1:\d+/);
    expect(command.stdout()).toMatch(/export ANTENNA_API_KEY=\w{8}\.\w{32}/);
    expect(command.stdout()).toContain('npx antenna-sdk run --module FILE --project 1');
    command.child.stdin?.write('\u0003');
    expect((await command.finished).code).toBe(0);
  });

  it('gives the same key each time, so that what was exported stays true', async () => {
    const keys = await Promise.all([serve([]), serve([])]);
    expect(new Set(keys.map(({ served }) => served.environment['ANTENNA_API_KEY'])).size).toBe(1);
  });

  it.each([
    [['--images', 'nowhere'], /nowhere: there is no such file or folder/],
    [['--images', '.'], /There is no image .*\.jpg/],
    [['--seed', 'none.json'], /--seed none\.json: there is no such file/],
    [['--seed', 'bad.json'], /--seed bad\.json: The seed cannot be used:\s+dialect/],
    [['--seed', 'odd.json'], /--seed odd\.json: .*"moths", which is no pipeline of the project/],
    [['--port', 'x'], /--port must be a whole number up to 65535/],
    [['--count', '-1'], /--count must be a whole number/],
  ])('antenna serve %s ends with 2 and says what to do', async (args, message) => {
    const cwd = cli.work();
    writeFileSync(join(cwd, 'bad.json'), '{"dialect":"esperanto"}');
    const odd = { dialect: 'token', projects: [{ jobs: [{ pipeline: 'moths', images: 1 }] }] };
    writeFileSync(join(cwd, 'odd.json'), JSON.stringify(odd));
    const { code, stderr } = await cli.run(['serve', '--port', '0', ...args], { cwd });
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it('says so when the port is taken', async () => {
    const { served } = await serve([]);
    const { code, stderr } = await cli.run(['serve', '--port', new URL(served.url).port]);
    expect(stderr).toMatch(/Port \d+ is taken: --port 0 takes a free one/);
    expect(code).toBe(2);
  });
});
