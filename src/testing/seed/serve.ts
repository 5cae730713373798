import { readFile } from 'node:fs/promises';
import type { JobHandle } from '../build/job.js';
import type { UserHandle } from '../build/user.js';
import { createContractServer } from '../server.js';
import type { ContractServer } from '../server.js';
import type { ListenOptions, Listener } from '../transport/listen.js';
import { seedSchema } from './schema.js';
import type { ContractServerSeed, ParsedSeed } from './schema.js';

/** A contract server on a port, with what somebody needs to use it from another process. */
export interface ServedContractServer extends Listener {
  readonly server: ContractServer;
  /** API keys by service name. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** User tokens by e-mail address. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Jobs by name. */
  readonly jobs: Readonly<Record<string, JobHandle>>;
}

/**
 * Starts a contract server on a port from a seed, so that a worker in any language can be tested against it.
 * @param seed - the seed, or the path of a JSON file that holds it.
 * @throws TypeError naming every entry of the seed that cannot be used.
 */
export async function serveContractServer(
  seed: ContractServerSeed | string,
  listen: ListenOptions = {},
): Promise<ServedContractServer> {
  const parsed = parseSeed(typeof seed === 'string' ? await readSeedFile(seed) : seed);
  const { options } = parsed;
  const server = createContractServer({ ...withoutUndefined(options ?? {}), dialect: parsed.dialect });
  const planted = plant(server, parsed);
  const listener = await server.listen(listen);
  return { ...listener, ...planted, server, close: () => server.close() };
}

async function readSeedFile(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TypeError(`The seed file ${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function parseSeed(seed: unknown): ParsedSeed {
  const result = seedSchema.safeParse(seed);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `  ${path.map(String).join('.') || '(top)'}: ${message}`,
  );
  throw new TypeError(`The seed cannot be used:\n${problems.join('\n')}`);
}

type Planted = Pick<ServedContractServer, 'keys' | 'tokens' | 'jobs'>;

function plant(server: ContractServer, seed: ParsedSeed): Planted {
  const users = new Map(seed.users.map((user) => [user.email, server.user(withoutUndefined(user))] as const));
  const keys: Record<string, readonly string[]> = {};
  const jobs: Record<string, JobHandle> = {};
  for (const project of seed.projects) plantProject(server, project, users, { keys, jobs });
  const tokens = Object.fromEntries([...users].map(([email, user]) => [email, user.token]));
  return { keys, tokens, jobs };
}

function plantProject(
  server: ContractServer,
  seed: ParsedSeed['projects'][number],
  users: ReadonlyMap<string, UserHandle>,
  out: { keys: Record<string, readonly string[]>; jobs: Record<string, JobHandle> },
): void {
  const { services, pipelines, jobs, owner, members, ...rest } = seed;
  const project = server.project({
    ...withoutUndefined(rest),
    ...(owner === undefined ? {} : { owner: known(users, owner, 'user') }),
    members: (members ?? []).map(({ user, role }) => ({
      user: known(users, user, 'user'),
      ...(role === undefined ? {} : { role }),
    })),
  });
  for (const { keys, ...service } of services) {
    const handle = project.service(withoutUndefined(service));
    out.keys[handle.name] = keys ? keys.map((value) => handle.key({ value }).value) : [handle.key().value];
  }
  const bySlug = new Map(
    pipelines.map((pipeline) => [
      pipeline.slug,
      project.pipeline({
        ...withoutUndefined(pipeline),
        ...(pipeline.algorithms ? { algorithms: pipeline.algorithms.map(cleanAlgorithm) } : {}),
      } as Parameters<typeof project.pipeline>[0]),
    ]),
  );
  for (const { images, pipeline, ...job } of jobs) {
    const handle = project.job({
      ...withoutUndefined(job),
      pipeline: known(bySlug, pipeline, 'pipeline of the project'),
      images: typeof images === 'number' ? images : images.map(cleanImage),
    });
    out.jobs[handle.name] = handle;
  }
}

type SeedAlgorithm = NonNullable<ParsedSeed['projects'][number]['pipelines'][number]['algorithms']>[number];

function cleanAlgorithm({ category_map: map, ...algorithm }: SeedAlgorithm) {
  return { ...withoutUndefined(algorithm), ...(map ? { category_map: withoutUndefined(map) } : {}) };
}

function cleanImage(image: string | { id?: number | undefined; url: string | null }) {
  return typeof image === 'string' ? image : withoutUndefined(image);
}

function known<Value>(map: ReadonlyMap<string, Value>, name: string, what: string): Value {
  const value = map.get(name);
  if (value !== undefined) return value;
  throw new TypeError(
    `The seed names ${JSON.stringify(name)}, which is no ${what}. Known: ${[...map.keys()].join(', ') || 'none'}.`,
  );
}

/** The same object without undefined entries, which optional properties do not take. */
function withoutUndefined<Row extends object>(
  row: Row,
): { [Name in keyof Row]: Exclude<Row[Name], undefined> } {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Row]: Exclude<Row[Name], undefined>;
  };
}
