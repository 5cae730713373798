import { inspect } from 'node:util';
import type { CredentialHealth } from '../auth/credential-health.js';
import { staticSource, type CredentialSource } from '../auth/source.js';
import { lateTokenSource } from '../auth/late-token-source.js';
import { CachedRequests, watched } from '../cache/cached-requests.js';
import { ClientCache } from '../cache/client-cache.js';
import { cacheLimits, type CacheLimits } from '../cache/options.js';
import { CacheStore } from '../cache/store.js';
import { buildClientInfo, hostFacts } from './info.js';
import type { AntennaClientOptions, ResolvedOptions } from './options.js';
import { resolveOptions } from './resolve-options.js';
import { createFetchTransport } from '../http/fetch-transport.js';
import { HttpClient } from '../http/http-client.js';
import { lateTransport } from '../http/late-transport.js';
import { lateLeftOutReport } from '../http/late-left-out-report.js';
import type { RequestOptions } from '../http/operation.js';
import { describeOffset, heardBy, ServerClock } from '../http/server-clock.js';
import type { Transport } from '../http/transport.js';
import { checkedHeaders } from '../http/request-parts.js';
import { isConfidential } from '../http/url.js';
import { defaultLogger, guardLogger, type Logger } from '../log/logger.js';
import { AuthResource } from '../resources/auth.js';
import type { Dialect, ResourceCore } from '../resources/core.js';
import { JobsResource } from '../resources/jobs.js';
import { PipelinesResource } from '../resources/pipelines.js';
import { ProcessingServicesResource } from '../resources/processing-services.js';
import { ProjectsResource } from '../resources/projects.js';
import { ResultsResource } from '../resources/results.js';
import { TasksResource } from '../resources/tasks.js';
import type { Clock } from '../time/clock.js';
import { late } from '../time/late.js';
import { USER_AGENT } from '../version.js';

const dialectProbe = late(() => import('./probe-dialect.js'));

/**
 * A client of one Antenna server, with one credential.
 *
 * ```ts
 * const client = new AntennaClient({ baseUrl: 'https://antenna.example.org', apiKey: process.env.ANTENNA_API_KEY });
 * for await (const project of client.projects.list()) console.log(project.name);
 * await client.close();
 * ```
 */
export class AntennaClient implements AsyncDisposable {
  readonly auth: AuthResource;
  readonly projects: ProjectsResource;
  readonly pipelines: PipelinesResource;
  readonly processingServices: ProcessingServicesResource;
  readonly jobs: JobsResource;
  readonly tasks: TasksResource;
  readonly results: ResultsResource;
  /** The answers that are kept, to be counted and cleared. */
  readonly cache: ClientCache;
  /** Kind of server, from the option or the credential; undefined when neither tells. */
  readonly dialect: Dialect | undefined;
  /** Address of the API, `/api/v2` included. */
  readonly baseUrl: string;
  /** The logger in use, which lets only allowed fields pass. */
  readonly logger: Logger;
  readonly #http: HttpClient;
  readonly #transport: Transport;
  readonly #serverClock: ServerClock;
  readonly #proxy: string | undefined;

  /** @throws AntennaConfigError naming every option that is wrong. */
  constructor(options: AntennaClientOptions = {}) {
    const resolved = resolveOptions(options, process.env);
    this.dialect = resolved.resolvedDialect;
    this.baseUrl = resolved.url.href;
    this.logger = guardLogger(options.logger ?? defaultLogger());
    this.#serverClock = new ServerClock((offsetMs) => {
      const reason = `${describeOffset(offsetMs)}; set it, or have a time server keep it (NTP)`;
      this.logger.warn({ reason }, 'the clock is more than a minute off');
    });
    this.#transport = heardBy(this.#serverClock, createTransport(resolved), resolved.time);
    this.#proxy = resolved.proxy;
    const limits = cacheLimits(resolved.cache);
    const store = new CacheStore(resolved.time, limits.maxEntries);
    this.cache = new ClientCache(store);
    this.#http = createHttpClient(resolved, this.#transport, this.logger, { store, limits });
    const core: ResourceCore = {
      http: this.#http,
      logger: this.logger,
      dialect: this.dialect,
      clientInfo: this.#clientInfo(options.clientInfo),
      serviceName: options.serviceName,
    };
    this.auth = new AuthResource(core);
    this.projects = new ProjectsResource(core);
    this.pipelines = new PipelinesResource(core);
    this.processingServices = new ProcessingServicesResource(core);
    this.jobs = new JobsResource(core);
    this.tasks = new TasksResource(core);
    this.results = new ResultsResource(core);
  }

  /** What holds requests back at this moment: the origin's gate after a 429 or 503, and the retry budget. */
  get pressure(): { readonly gateClosedForMs: number; readonly retriesLeft: number } {
    return this.#http.pressure;
  }

  /** How the token provider is doing; undefined for a fixed credential. */
  get credentialHealth(): CredentialHealth | undefined {
    return this.#http.options.credentials.health?.();
  }

  /** The clock that the client goes by; a worker shares it. */
  get clock(): Clock {
    return this.#http.options.clock;
  }

  /**
   * Milliseconds by which the server's clock is ahead of this machine's, negative when it is behind, from the `Date` of its answers; 0 when
   * they agree as far as that tells, which is to the second. Undefined before the first answer. One that is more than a minute off is logged.
   */
  get clockOffsetMs(): number | undefined {
    return this.#serverClock.offsetMs;
  }

  /** The option `proxy`; a worker's image downloads go the same way. */
  get proxy(): string | undefined {
    return this.#proxy;
  }

  /**
   * Finds out the server's dialect, whatever the credential: with a key that cannot exist, a server that knows keys answers 401,
   * and one that does not ignores it and lists its public projects. Matching on the status, not on texts.
   */
  async probeDialect(options?: RequestOptions): Promise<Dialect> {
    return (await dialectProbe()).probeDialect(this.#http, options);
  }

  /** Refuses new calls, lets the running ones end, closes the connections. */
  async close(): Promise<void> {
    await this.#http.close();
    this.#http.options.credentials.close?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Nothing of a client is worth printing but its address and kind, and some of it must never be. */
  [inspect.custom](): string {
    return `AntennaClient { baseUrl: '${this.baseUrl}', dialect: ${this.dialect ?? 'unknown'} }`;
  }

  #clientInfo(extras: AntennaClientOptions['clientInfo']): ResourceCore['clientInfo'] {
    if (extras === false) return undefined;
    const { info, cut } = buildClientInfo(extras ?? {}, hostFacts());
    if (cut.length > 0) this.logger.warn({ cut }, 'client_info does not fit the server’s limits');
    return info;
  }
}

function createTransport(options: ResolvedOptions): Transport {
  const { limits } = options;
  if (options.fetch) return createFetchTransport(options.fetch, limits.maxResponseBytes);
  return lateTransport(async () => {
    const late = await import('../http/undici-transport.js');
    return late.createUndiciTransport({ ...limits, proxy: options.proxy, dispatcher: options.dispatcher });
  });
}

function createSource(options: ResolvedOptions, logger: Logger): CredentialSource {
  const { tokenProvider } = options;
  if (tokenProvider === undefined) return options.credentials ?? staticSource(options.credential);
  return lateTokenSource({
    provider: tokenProvider,
    scheme: options.tokenScheme ?? tokenProvider.scheme,
    clock: options.time,
    random: options.random ?? Math.random,
    logger,
    timeoutMs: options.limits.tokenTimeoutMs,
    refreshWindowMs: options.limits.tokenRefreshWindowMs,
  });
}

function createHttpClient(
  options: ResolvedOptions,
  transport: Transport,
  logger: Logger,
  kept: { readonly store: CacheStore; readonly limits: CacheLimits },
): HttpClient {
  const credentials = watched(createSource(options, logger), (credential) => {
    cache.refused(credential);
  });
  const cache = new CachedRequests({
    ...kept,
    clock: options.time,
    baseUrl: options.url.href,
    credentials,
    timeoutMs: options.limits.timeoutMs,
  });
  return new HttpClient({
    baseUrl: options.url,
    transport,
    credentials,
    cache,
    clock: options.time,
    random: options.random ?? Math.random,
    logger,
    leftOut: lateLeftOutReport(logger, options.onLeftOut),
    timeoutMs: options.limits.timeoutMs,
    attemptTimeoutMs: options.attemptTimeoutMs,
    retries: options.limits.retries,
    headers: checkedHeaders({ 'user-agent': USER_AGENT, ...options.headers }),
    confidential: isConfidential(options.url, options.allowInsecureHttp),
  });
}
