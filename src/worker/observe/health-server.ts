import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AntennaConfigError } from '../../errors/config.js';
import { silentLogger, type Logger } from '../../log/logger.js';
import type { HealthReport } from './health.js';
import { loadPrometheus, type MetricsRenderer } from './prometheus.js';
import type { WorkerMetricsSnapshot } from './snapshot.js';

/** Where the answers come from: a worker. */
export interface HealthSource {
  health(): HealthReport;
  /** Without it there is no `/metrics`. */
  metrics?(): WorkerMetricsSnapshot;
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
  readonly logger?: Logger | undefined;
}

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
}

/**
 * Opens a port with `/livez` (503: restart me), `/readyz` (503: not at work) and `/metrics`. It shows no secrets, and neither does it
 * ask for any: keep it inside. It does not keep a program alive.
 * @throws AntennaConfigError when the port cannot be had, or `metrics` is true and `prom-client` is missing.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { source, port, host = '127.0.0.1', logger = silentLogger } = options;
  const renderer = options.metrics === false ? undefined : await loadPrometheus(options.metrics === true);
  const server = createServer(
    { requestTimeout: 5_000, headersTimeout: 5_000, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 },
    (request, response) => {
      void respond(request, response, source, renderer, logger);
    },
  );
  await listen(server, port, host);
  server.unref();
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  source: HealthSource,
  renderer: MetricsRenderer | undefined,
  logger: Logger,
): Promise<void> {
  let answer: Answer;
  try {
    answer = await answerFor(request, source, renderer);
  } catch (error) {
    logger.error({ error, path: request.url }, 'the health port could not answer');
    answer = text(500, 'the worker could not be looked at; its log has the reason');
  }
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

async function answerFor(
  request: IncomingMessage,
  source: HealthSource,
  renderer: MetricsRenderer | undefined,
): Promise<Answer> {
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
      if (!source.metrics) return text(404, 'this worker has no metrics');
      if (!renderer) return text(501, 'no metrics here: install prom-client, or do not set metrics: false');
      return { status: 200, type: renderer.contentType, body: await renderer.render(source.metrics()) };
    default:
      return text(404, '/livez, /readyz or /metrics');
  }
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
