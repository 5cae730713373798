import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type * as ServingModule from '../../testing/serving.js';
import type {
  ImageHostCore,
  JobHandle,
  Planted,
  ProjectHandle,
  Reply,
  RequestRecord,
} from '../../testing/serving.js';
import { UsageError } from '../exit-codes.js';
import { localImages } from '../local-images.js';
import { overviewOf, type ServeOverview } from './overview.js';
import { defaultSeed, withImages } from './seed.js';

/** What is to be served. */
export interface SiteOptions {
  readonly port: number;
  readonly host: string;
  readonly cwd: string;
  readonly dialect: 'api-key' | 'token';
  /** File of a seed. Default: a project with a service and a key, where each pipeline that is registered gets a job. */
  readonly seed: string | undefined;
  /** Folder of images. Default: generated ones. */
  readonly images: string | undefined;
  /** How many to generate. */
  readonly count: number;
}

/** An Antenna on a port, with its images and its page. */
export interface Site extends Planted {
  readonly origin: string;
  readonly port: number;
  readonly images: number;
  readonly dialect: 'api-key' | 'token';
  readonly overview: () => ServeOverview;
  readonly allJobs: () => readonly JobHandle[];
  readonly close: () => Promise<void>;
}

/** Newest requests that are kept: the page shows a few. */
const REQUEST_LIMIT = 200;
const GENERATED = { width: 640, height: 480 } as const;

/** Starts it. @throws UsageError when port, seed or images cannot be had. */
export async function startSite(options: SiteOptions): Promise<Site> {
  const {
    ContractServerCore,
    ImageHostCore: Host,
    listen,
    ...tools
  } = await import('../../testing/serving.js');
  const { VERSION } = await import('../../index.js');
  const given = options.seed === undefined ? undefined : await readSeed(options.seed, options.cwd, tools);
  const server = new ContractServerCore({
    requestLimit: REQUEST_LIMIT,
    ...tools.withoutUndefined(given?.options ?? {}),
    dialect: given?.dialect ?? options.dialect,
  });
  const startedAt = new Date().toISOString();
  let images: ImageHostCore | undefined;
  let planted: Planted = { keys: {}, tokens: {}, jobs: {}, projects: [] };
  const overview = (): ServeOverview =>
    overviewOf({
      ...{ server, origin, startedAt, projects: planted.projects },
      software: `antenna-sdk ${VERSION}`,
      images: urls.length,
    });
  const exchange = async (request: RequestRecord): Promise<Reply> => {
    if (request.path.startsWith('/api/')) {
      const reply = await server.exchange(request);
      if (given === undefined && request.method === 'POST') startJobs(planted.projects, server.jobs, urls);
      return reply;
    }
    return (await ownAnswer(request, overview)) ?? images?.exchange(request) ?? { kind: 'reset' };
  };
  const listener = await listenAt(listen, exchange, options);
  // Nobody elsewhere could open the address that means every address of this machine.
  const everywhere = options.host === '0.0.0.0' || options.host === '::';
  const origin = everywhere ? `http://${hostname()}:${listener.port}` : listener.origin;
  const urls: string[] = [];
  const close = async (): Promise<void> => {
    await listener.close();
    await server.close();
  };
  try {
    images = new Host({ origin });
    urls.push(...addImages(images, origin, options));
    const seed = given ?? tools.parseSeed(defaultSeed(options.dialect));
    planted = tools.plant(server, withImages(seed, origin, urls));
  } catch (error) {
    await close();
    // What a seed asks for and the server cannot have is said in a sentence: an id that is taken, a name that is too long.
    if (options.seed === undefined || error instanceof UsageError) throw error;
    throw new UsageError(`--seed ${options.seed}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { dialect } = server;
  const allJobs = (): readonly JobHandle[] => server.jobs;
  return { ...planted, origin, port: listener.port, images: urls.length, dialect, overview, allJobs, close };
}

type Serving = typeof ServingModule;

async function readSeed(
  file: string,
  cwd: string,
  { parseSeed, readSeedFile }: Pick<Serving, 'parseSeed' | 'readSeedFile'>,
): Promise<ReturnType<Serving['parseSeed']>> {
  try {
    return parseSeed(await readSeedFile(resolve(cwd, file)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new UsageError(`--seed ${file}: there is no such file`);
    throw error instanceof TypeError ? new UsageError(`--seed ${file}: ${error.message}`) : error;
  }
}

async function listenAt(
  listen: Serving['listen'],
  exchange: (request: RequestRecord) => Promise<Reply>,
  { port, host }: SiteOptions,
): ReturnType<Serving['listen']> {
  try {
    return await listen(exchange, { port, host });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new UsageError(`Port ${port} is taken: --port 0 takes a free one, or name another`);
    throw new UsageError(
      `Cannot listen on ${host}:${port} (${code ?? 'it failed'}): give another --port or --host`,
    );
  }
}

/** @returns the addresses of the images. */
function addImages(host: ImageHostCore, origin: string, { images, count, cwd }: SiteOptions): string[] {
  if (images === undefined)
    return Array.from(
      { length: count },
      (_, at) => host.generate({ ...GENERATED, insects: 1 + (at % 5), path: `/images/${at + 1}.png` }).url,
    );
  return localImages([images], cwd).map(({ name, path }) => {
    host.addFile(path, `/images/${name}`);
    return `${origin}/images/${name.split(/[\\/]/).map(encodeURIComponent).join('/')}`;
  });
}

/** A pipeline that somebody registers gets a job: there is nobody here to press the button. */
function startJobs(
  projects: readonly ProjectHandle[],
  jobs: readonly JobHandle[],
  images: readonly string[],
): void {
  for (const project of projects)
    for (const pipeline of project.pipelines) {
      const has = jobs.some((job) => job.projectId === project.id && job.pipelineSlug === pipeline.slug);
      if (!has) project.job({ name: `Images for ${pipeline.slug}`, pipeline, images });
    }
}

async function ownAnswer(
  { method, path }: RequestRecord,
  overview: () => ServeOverview,
): Promise<Reply | undefined> {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  if (path === '/') {
    const { SERVE_PAGE, SERVE_PAGE_HEADERS } = await import('./page.js');
    const headers = { 'content-type': 'text/html; charset=utf-8', ...SERVE_PAGE_HEADERS };
    return { kind: 'answer', response: { status: 200, headers, body: SERVE_PAGE } };
  }
  if (path !== '/status.json') return undefined;
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { kind: 'answer', response: { status: 200, headers, body: JSON.stringify(overview()) } };
}
