import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { AntennaConfigError } from '../../errors/config.js';
import { checkOptions, hasMethods, isBoolean, isLogger, isText, type Check } from '../../errors/arguments.js';
import { silentLogger, type Logger } from '../../log/logger.js';
import type { HealthReport } from './health.js';
import { VERSION } from '../../version.js';
import { loadPrometheus, type LabelledSnapshot, type MetricsRenderer } from './prometheus.js';
import type { WorkerMetricsSnapshot } from './snapshot.js';
import type { MachineOverview } from './status.js';
import { StatusBoard, type WatchedWorker } from './status-board.js';

/** Where the answers come from: a worker. */
export interface HealthSource {
  health(): HealthReport;
  /** Without it there is no `/metrics`. */
  metrics?(): WorkerMetricsSnapshot;
  /** Several workers behind one port: their metrics by name, in place of `metrics()`; samples carry the label `worker`. */
  fleetMetrics?(): Readonly<Record<string, WorkerMetricsSnapshot>>;
  /** What the page at `/` shows. Default: made from the events, if the source is an `AntennaWorker`. */
  overview?(): MachineOverview;
}

/** Options of {@link startHealthServer}. */
export interface HealthServerOptions {
  readonly source: HealthSource;
  /** 0 takes a free one. */
  readonly port: number;
  /** Default `127.0.0.1`. Probes of Kubernetes come from outside of the pod and need `0.0.0.0`. */
  readonly host?: string | undefined;
  /**
   * Serve `/metrics` for Prometheus. True needs the package `prom-client` and fails without; by default it is served if the package
   * is there.
   */
  readonly metrics?: boolean | undefined;
  /**
   * Show the last images with their boxes on the page. Default false: an image's URL can be signed, and then whoever sees the page
   * can open it.
   */
  readonly view?: boolean | undefined;
  readonly logger?: Logger | undefined;
}

const OPTIONS: { readonly [Name in keyof Required<HealthServerOptions>]: Check } = {
  source: hasMethods('health'),
  port: (port) =>
    Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535
      ? undefined
      : 'must be a whole number from 0 to 65535',
  host: isText,
  metrics: isBoolean,
  view: isBoolean,
  logger: isLogger,
};

/** A listening health port. */
export interface HealthServer {
  readonly port: number;
  readonly host: string;
  close(): Promise<void>;
}

/** What one path answers. */
interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the answers are made of. */
interface Parts {
  readonly source: HealthSource;
  readonly renderer: MetricsRenderer | undefined;
  readonly overview: (() => MachineOverview) | undefined;
  readonly logger: Logger;
}

/**
 * Opens a port with `/livez` (503: restart me), `/readyz` (503: not at work), `/metrics`, and at `/` a page for people, which reads
 * `/status.json` every two seconds. It shows no secrets, and neither does it ask for any: keep it inside. It does not keep a program
 * alive.
 * @throws AntennaConfigError naming every wrong option; when the port cannot be had, or `metrics` is true and `prom-client` is missing.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  checkOptions('Invalid startHealthServer options', options, OPTIONS, ['source', 'port']);
  const { source, port, host = '127.0.0.1', logger = silentLogger } = options;
  const renderer = options.metrics === false ? undefined : await loadPrometheus(options.metrics === true);
  const { overview, stop } = overviewOf(source, options.view === true);
  const parts: Parts = { source, renderer, overview, logger };
  const server = createServer(
    { requestTimeout: 5_000, headersTimeout: 5_000, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 },
    (request, response) => {
      void respond(request, response, parts);
    },
  );
  await listen(server, port, host);
  server.unref();
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        stop();
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function respond(request: IncomingMessage, response: ServerResponse, parts: Parts): Promise<void> {
  let answer: Answer;
  try {
    answer = await answerFor(request, parts);
  } catch (error) {
    parts.logger.error({ error, path: request.url }, 'the health port could not answer');
    answer = text(500, 'the worker could not be looked at; its log has the reason');
  }
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    ...answer.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

async function answerFor(request: IncomingMessage, { source, renderer, overview }: Parts): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'GET or HEAD');
  const [path = ''] = (request.url ?? '').split('?');
  switch (path) {
    case '/livez':
    case '/readyz': {
      const report = source.health();
      const fine = path === '/livez' ? report.live : report.ready;
      return { status: fine ? 200 : 503, type: 'application/json', body: JSON.stringify(report) };
    }
    case '/metrics':
      if (!source.metrics && !source.fleetMetrics) return text(404, 'this worker has no metrics');
      if (!renderer) return text(501, 'no metrics here: install prom-client, or do not set metrics: false');
      return { status: 200, type: renderer.contentType, body: await renderer.render(snapshotsOf(source)) };
    case '/status.json':
      if (!overview) return text(404, 'this source has no overview');
      return { status: 200, type: 'application/json', body: JSON.stringify(overview()), headers: NOSNIFF };
    case '/':
      if (!overview) return text(404, '/livez, /readyz or /metrics');
      return pageOf(overview().view);
    default:
      return text(404, '/, /status.json, /livez, /readyz or /metrics');
  }
}

const NOSNIFF = { 'x-content-type-options': 'nosniff' };

/** Loaded when somebody looks: most workers are never looked at. */
async function pageOf(view: boolean): Promise<Answer> {
  const { pageHeaders, STATUS_PAGE } = await import('./page/page.js');
  return { status: 200, type: 'text/html; charset=utf-8', body: STATUS_PAGE, headers: pageHeaders(view) };
}

/** The one worker without a label, or a fleet by name. */
function snapshotsOf(source: HealthSource): readonly LabelledSnapshot[] {
  if (source.fleetMetrics)
    return Object.entries(source.fleetMetrics()).map(([worker, snapshot]) => ({
      labels: { worker },
      snapshot,
    }));
  return source.metrics ? [{ labels: {}, snapshot: source.metrics() }] : [];
}

function overviewOf(
  source: HealthSource,
  view: boolean,
): { readonly overview: (() => MachineOverview) | undefined; readonly stop: () => void } {
  const given = source.overview?.bind(source);
  if (given) return { overview: given, stop: () => undefined };
  if (!isWatched(source)) return { overview: undefined, stop: () => undefined };
  const board = new StatusBoard({ worker: source, view });
  const overview = (): MachineOverview => ({
    software: `antenna-sdk ${VERSION}`,
    hostname: hostname(),
    now: new Date(source.client.clock.wallNow()).toISOString(),
    gpus: [],
    view,
    workers: [board.status()],
  });
  return {
    overview,
    stop: () => {
      board.close();
    },
  };
}

/** By its methods: a worker of the package's other copy is one too. */
function isWatched(source: HealthSource): source is HealthSource & WatchedWorker {
  return (
    ['on', 'explain', 'metrics'].every(
      (name) => typeof (source as unknown as Record<string, unknown>)[name] === 'function',
    ) && 'client' in source
  );
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const message = `cannot listen on ${host}:${port}: ${error.message}`;
      reject(new AntennaConfigError('Cannot open the health port', [{ path: 'port', message }]));
    });
    server.listen(port, host, resolve);
  });
}
