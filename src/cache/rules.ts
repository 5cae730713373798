const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/**
 * Operations whose answers are kept, and for how long by default, in milliseconds. What is missing here is never kept: jobs, tasks and
 * results change all the time, and a login, a key or the liveness of a service must come from the server.
 */
export const CACHE_TTL_MS = {
  'auth.me': 5 * MINUTE_MS,
  'projects.get': 5 * MINUTE_MS,
  'projects.list': MINUTE_MS,
  'pipelines.get': 5 * MINUTE_MS,
  'pipelines.list': MINUTE_MS,
  'pipelines.listForProject': MINUTE_MS,
  'processingServices.get': MINUTE_MS,
  'processingServices.list': MINUTE_MS,
} as const;

/** An operation whose answers are kept. */
export type CachedOperation = keyof typeof CACHE_TTL_MS;

/** Names of all operations whose answers are kept. */
export const CACHED_OPERATIONS = Object.keys(CACHE_TTL_MS) as readonly CachedOperation[];

const PIPELINES = ['pipelines.get', 'pipelines.list', 'pipelines.listForProject'] as const;
const SERVICES = ['processingServices.get', 'processingServices.list'] as const;

/**
 * Which answers a change makes old, for every credential of the client: what one changes, the others see. `credential` stands for all
 * answers of the credential that the change was made with.
 *
 * Every operation that changes something is listed, so that a new one is a decision and not an omission.
 */
export const INVALIDATES: Readonly<Record<string, readonly CachedOperation[] | 'credential'>> = {
  // Nothing of it is kept, and a login changes nothing for the tokens in use.
  'auth.login': [],
  'auth.logout': 'credential',
  // Creates pipelines and algorithms, and in the `token` dialect the service; a project names its pipelines.
  'pipelines.register': [...PIPELINES, ...SERVICES, 'projects.get'],
  'processingServices.create': SERVICES,
  // The service shows the prefix of its key.
  'processingServices.generateKey': SERVICES,
  'jobs.create': [],
  'jobs.run': [],
  'jobs.cancel': [],
  'jobs.retry': [],
  // Beside its tasks it marks the service as seen, which a list shows at most a minute late.
  'tasks.reserve': [],
  'results.submit': [],
};

/** Whether answers of this operation may be kept. */
export function isCached(operation: string): operation is CachedOperation {
  return Object.hasOwn(CACHE_TTL_MS, operation);
}
