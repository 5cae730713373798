import type { AlgorithmConfig, PipelineConfig } from '../contract/registration.js';
import { AntennaConfigError } from '../errors/config.js';
import { silentLogger, type Logger } from '../log/logger.js';
import { isDetector } from '../registration/precheck.js';
import { systemClock, type Clock } from '../time/clock.js';
import { HandlerStartError } from '../worker/executors/execution-errors.js';
import type { Executor } from '../worker/executors/executor.js';
import type { Pipeline } from '../worker/executors/pipeline.js';
import { BatchPolicy } from './batch-policy.js';
import { BridgeCall } from './call.js';
import { PushConnection } from './connection.js';
import type { CallCost } from './cost.js';
import { BRIDGE_DEFAULTS } from './defaults.js';
import { PushExecutor } from './executor.js';
import type { RefusedPipeline, ServiceInfo } from './info.js';
import { resolvePushOptions, type PushServiceOptions } from './options.js';
import { ServiceChild } from './service-child.js';
import { ServiceLink } from './service-link.js';

/** A push service as a worker's pipelines. */
export interface PushService {
  /** As the service names itself. */
  readonly name: string;
  readonly description: string | undefined;
  /** For `AntennaWorker`, registered from the service's own `/info`. */
  readonly pipelines: readonly Pipeline[];
  /** Pipelines of the service that cannot be served, and why. */
  readonly refused: readonly RefusedPipeline[];
  /** Process id of a service that was started. */
  readonly pid: number | undefined;
  /** What a call costs, by pipeline, as far as it is measured. */
  costs(): Readonly<Record<string, CallCost>>;
  /** Ends the service if it was started here. A worker does so at the end of its run; call it when no worker ever ran. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a pull-mode worker's pipelines of a processing service that speaks Antenna's push API (`/info`, `/readyz`, `/process`).
 *
 * ```ts
 * const service = await pushService({ url: 'http://127.0.0.1:2000', logger: client.logger });
 * await new AntennaWorker({ client, projects: [1], pipelines: service.pipelines }).run();
 * ```
 *
 * Waits until the service is ready, however long that takes; a command that is started has `startTimeoutMs`.
 * @throws AntennaConfigError for wrong options, and when none of the service's pipelines can be served; PushContractError when what
 * listens is no processing service; HandlerStartError, with the command's own last lines, when it cannot be started; the reason of
 * `signal` when it aborts.
 */
export async function pushService(options: PushServiceOptions): Promise<PushService> {
  const resolved = resolvePushOptions(options);
  const { logger = silentLogger, clock = systemClock, random = Math.random, start, pollIntervalMs } = options;
  const child = start && new ServiceChild({ ...start, logger, clock }, random);
  const connection = new PushConnection({ url: resolved.url, logger, clock, pollIntervalMs, child });
  const link = new ServiceLink({ connection, child, logger, clock, pollIntervalMs });
  let info: ServiceInfo;
  try {
    info = await firstLook(connection, child, clock, options);
    link.opened(info);
    report(info, logger);
    const slugs = served(info, options.pipelines, connection.place);
    const pipelines = slugs.map((slug) => new BridgePipeline(slug, link, resolved, { ...options, logger }));
    return {
      name: info.name,
      description: info.description,
      pipelines,
      refused: info.refused,
      get pid() {
        return link.pid;
      },
      costs: () =>
        Object.fromEntries(pipelines.flatMap(({ slug, cost }) => (cost === undefined ? [] : [[slug, cost]]))),
      close: () => link.close(),
      [Symbol.asyncDispose]: () => link.close(),
    };
  } catch (error) {
    await link.close();
    throw error;
  }
}

async function firstLook(
  connection: PushConnection,
  child: ServiceChild | undefined,
  clock: Clock,
  options: PushServiceOptions,
): Promise<ServiceInfo> {
  const { signal: outer, startTimeoutMs = BRIDGE_DEFAULTS.startTimeoutMs } = options;
  const over = new AbortController();
  const onAbort = (): void => {
    over.abort(outer?.reason);
  };
  if (outer?.aborted) onAbort();
  outer?.addEventListener('abort', onAbort, { once: true });
  const cancel =
    child &&
    clock.schedule(startTimeoutMs, () => {
      over.abort(
        new HandlerStartError(`the service was not ready after ${startTimeoutMs} ms; ${child.lastWords}`),
      );
    });
  try {
    if (child && (await connection.answers(over.signal)))
      throw new AntennaConfigError('Cannot start the push service', [
        { path: 'url', message: `something else listens at ${connection.place} already` },
      ]);
    return await connection.open(over.signal);
  } finally {
    cancel?.();
    outer?.removeEventListener('abort', onAbort);
  }
}

function report(info: ServiceInfo, logger: Logger): void {
  for (const note of info.notes) logger.warn({ reason: note }, 'a push service describes itself oddly');
  for (const { slug, reason } of info.refused)
    logger.warn({ pipeline: slug, reason }, 'a pipeline of a push service cannot be served');
}

/** @throws AntennaConfigError when a wanted pipeline, or any at all, is missing. */
function served(info: ServiceInfo, wanted: readonly string[] | undefined, place: string): readonly string[] {
  const known = [...info.pipelines.keys()];
  const refused = info.refused.map(({ slug, reason }) => ({ path: slug, message: reason }));
  const missing = (wanted ?? [])
    .filter((slug) => !info.pipelines.has(slug))
    .map((slug) => ({
      path: slug,
      message:
        info.refused.find((one) => one.slug === slug)?.reason ??
        `is not offered; the service has ${known.join(', ') || 'none'}`,
    }));
  if (missing.length > 0)
    throw new AntennaConfigError(`Pipelines of ${place} that cannot be served`, missing);
  if (known.length === 0)
    throw new AntennaConfigError(`No pipeline of ${place} can be served`, [
      ...refused,
      ...(refused.length === 0 ? [{ path: '', message: 'it offers none' }] : []),
    ]);
  return wanted ?? known;
}

/** A pipeline whose description follows that of its service, and whose batch follows what a call costs. */
class BridgePipeline implements Pipeline {
  readonly slug: string;
  readonly images: 'bytes' | 'url';
  readonly #link: ServiceLink;
  readonly #policy: BatchPolicy;
  readonly #call: BridgeCall;
  #known: { readonly config: PipelineConfig; readonly algorithms: ReadonlyMap<string, AlgorithmConfig> };

  constructor(
    slug: string,
    link: ServiceLink,
    resolved: { readonly images: 'loopback' | 'url'; readonly maxBatchSize: number },
    options: PushServiceOptions & { readonly logger: Logger },
  ) {
    this.slug = slug;
    this.images = resolved.images === 'url' ? 'url' : 'bytes';
    this.#link = link;
    this.#known = describe(this.#configOf());
    this.#policy = new BatchPolicy(resolved.maxBatchSize);
    this.#call = new BridgeCall({
      slug,
      link,
      policy: this.#policy,
      logger: options.logger,
      images: resolved.images,
      config: options.config ?? {},
      timeoutMs: options.timeoutMs,
      restartTimeoutMs: options.restartTimeoutMs,
      detector: () => ({ name: this.detector.name, key: this.detector.key }),
      answer: () => ({ algorithms: new Set(this.algorithms.keys()), detector: this.detector.key }),
    });
  }

  get config(): PipelineConfig {
    return this.#current().config;
  }

  get algorithms(): ReadonlyMap<string, AlgorithmConfig> {
    return this.#current().algorithms;
  }

  get detector(): AlgorithmConfig {
    const detector = this.config.algorithms.find(isDetector);
    // Refused when /info was read.
    if (!detector)
      throw new AntennaConfigError(`Pipeline ${this.slug}`, [{ path: '', message: 'no detector' }]);
    return detector;
  }

  /** Images that are worth collecting for one call. */
  get batchSize(): number {
    return this.#policy.wanted;
  }

  get cost(): CallCost | undefined {
    return this.#policy.cost;
  }

  readonly createExecutor = (clock: Clock): Executor => new PushExecutor(this.#call, clock);

  readonly onConfigChange = (listener: () => Promise<void>): (() => void) => this.#link.onChange(listener);

  #current(): { readonly config: PipelineConfig; readonly algorithms: ReadonlyMap<string, AlgorithmConfig> } {
    const config = this.#configOf();
    if (config !== this.#known.config) this.#known = describe(config);
    return this.#known;
  }

  #configOf(): PipelineConfig {
    const config = this.#link.configOf(this.slug);
    if (config) return config;
    throw new AntennaConfigError(`Pipeline ${this.slug}`, [{ path: '', message: 'was never described' }]);
  }
}

function describe(config: PipelineConfig): {
  readonly config: PipelineConfig;
  readonly algorithms: ReadonlyMap<string, AlgorithmConfig>;
} {
  return { config, algorithms: new Map(config.algorithms.map((algorithm) => [algorithm.key, algorithm])) };
}
