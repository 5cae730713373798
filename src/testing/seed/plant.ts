import { readFile } from 'node:fs/promises';
import type { JobHandle } from '../build/job.js';
import type { ProjectHandle } from '../build/project.js';
import type { UserHandle } from '../build/user.js';
import type { ContractServerCore } from '../server-core.js';
import { seedSchema } from './schema.js';
import type { ParsedSeed } from './schema.js';

/** What a file holds, unchecked. @throws TypeError when it is not JSON. */
export async function readSeedFile(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TypeError(`The seed file ${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** @throws TypeError naming every entry of the seed that cannot be used. */
export function parseSeed(seed: unknown): ParsedSeed {
  const result = seedSchema.safeParse(seed);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `  ${path.map(String).join('.') || '(top)'}: ${message}`,
  );
  throw new TypeError(`The seed cannot be used:\n${problems.join('\n')}`);
}

/** What somebody needs to use the server from another process. */
export interface Planted {
  /** API keys by service name. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
  /** User tokens by e-mail address. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Jobs by name. */
  readonly jobs: Readonly<Record<string, JobHandle>>;
  readonly projects: readonly ProjectHandle[];
}

/** Fills a server with what a seed holds. */
export function plant(server: ContractServerCore, seed: ParsedSeed): Planted {
  const users = new Map(seed.users.map((user) => [user.email, server.user(withoutUndefined(user))] as const));
  const keys: Record<string, readonly string[]> = {};
  const jobs: Record<string, JobHandle> = {};
  const projects = seed.projects.map((project) => plantProject(server, project, users, { keys, jobs }));
  const tokens = Object.fromEntries([...users].map(([email, user]) => [email, user.token]));
  return { keys, tokens, jobs, projects };
}

function plantProject(
  server: ContractServerCore,
  seed: ParsedSeed['projects'][number],
  users: ReadonlyMap<string, UserHandle>,
  out: { keys: Record<string, readonly string[]>; jobs: Record<string, JobHandle> },
): ProjectHandle {
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
    // A `token` server knows no keys; a key made for it would only mislead.
    const wanted = keys ?? (server.dialect === 'api-key' ? [undefined] : []);
    out.keys[handle.name] = wanted.map((value) => handle.key(value === undefined ? {} : { value }).value);
  }
  const bySlug = new Map(pipelines.map((pipeline) => [pipeline.slug, project.pipeline(pipeline)]));
  for (const { images, pipeline, ...job } of jobs) {
    const handle = project.job({
      ...withoutUndefined(job),
      pipeline: known(bySlug, pipeline, 'pipeline of the project'),
      images: typeof images === 'number' ? images : images.map(cleanImage),
    });
    out.jobs[handle.name] = handle;
  }
  return project;
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
export function withoutUndefined<Row extends object>(
  row: Row,
): { [Name in keyof Row]: Exclude<Row[Name], undefined> } {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Row]: Exclude<Row[Name], undefined>;
  };
}
