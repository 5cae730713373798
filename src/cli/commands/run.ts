import { existsSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { HealthReport, HealthServer, HealthSource, MachineOverview, WorkerReport } from '../../index.js';
import { connect, withCredential } from '../connect.js';
import { EXIT, UsageError } from '../exit-codes.js';
import type { Frame, Run } from '../frame.js';
import { describeGpu, readGpus, type Gpu } from '../gpus.js';
import { loadPipelines } from '../load-pipelines.js';
import { DEFAULT_GRACE_MS, watchLimits } from '../run/limits.js';
import { Fleet } from '../run/fleet.js';
import { jsonLogger, RecentWarnings } from '../run/logging.js';
import { viewLines } from '../run/view.js';
import { nameOf, seatWorker } from '../run/worker.js';
import { startScreen } from '../screen.js';

const REDRAW_MS = 500;

/** `antenna run`: one worker in this process, or several, each in its own. */
export const run: Run = async (given) => {
  const gpus = await readGpus(given.env);
  const frame = absolute(await withCredential(given));
  const { workers = 1 } = frame.settings;
  const count = workers === 'auto' ? Math.max(1, gpus.length) : workers;
  warnOfLeftSpools(frame, count);
  await refuseBadCredential(frame);
  return count === 1 ? runOne(frame, gpus) : runFleet(frame, gpus, count);
};

const ASK_ONCE = { projects: [], retries: 0, timeoutMs: 10_000 };

/**
 * Registering refuses a bad credential. Without a project nothing is registered, and the worker would ask for jobs with it for ever, or
 * as a stranger on a server that ignores keys.
 */
async function refuseBadCredential(frame: Frame): Promise<void> {
  if (frame.settings.project !== undefined) return;
  const { checkCredential } = await import('../../index.js');
  await using client = await connect(frame);
  // A server that is away at the start is waited for.
  const report = await checkCredential(client, ASK_ONCE).catch(() => undefined);
  if (report?.valid === false) throw Object.assign(new Error(report.summary), { code: 'credential' });
}

/** Both kinds of run, as far as they are looked at and told to stop. */
interface Running {
  readonly source: HealthSource & { overview(): MachineOverview };
  readonly stop: () => void;
  /** @returns exit code and reports. */
  readonly ended: Promise<readonly [code: number, reports: readonly WorkerReport[]]>;
  readonly warnings: RecentWarnings;
}

async function runOne(frame: Frame, gpus: readonly Gpu[]): Promise<number> {
  const warnings = new RecentWarnings();
  const logger = frame.out.isTerminal ? warnings.logger() : jsonLogger(levelOf(frame), undefined);
  const device = gpus[0] && describeGpu(gpus[0]);
  const { worker, client, board, run: work } = await seatWorker(frame, { index: undefined, device }, logger);
  const software = await softwareOf();
  const overview = (): MachineOverview => ({
    ...{ software, hostname: hostname(), now: new Date().toISOString() },
    gpus: gpus.map((gpu) => `${gpu.index}: ${describeGpu(gpu)}`),
    view: frame.settings.view === true,
    workers: [board.status()],
  });
  const ended = work({ handleSignals: true })
    .then((report) => [EXIT.ok, [report]] as const)
    .finally(() => client.close());
  const source = { health: () => worker.health(), metrics: () => worker.metrics(), overview };
  return look(frame, { source, ended, warnings, stop: () => void worker.stop() });
}

async function runFleet(frame: Frame, gpus: readonly Gpu[], count: number): Promise<number> {
  // What is wrong with the module should be said once, and before any process is started.
  if (frame.settings.module !== undefined) await loadPipelines(frame);
  if (frame.settings.start !== undefined || frame.settings.attach !== undefined)
    throw new UsageError(
      '--workers with --start or --attach would be several workers for one service: start it yourself and give --service URL, or one worker each',
    );
  const { onTermination } = await import('../../index.js');
  const warnings = new RecentWarnings();
  const { isTerminal } = frame.out;
  const log = isTerminal ? warnings.logger() : jsonLogger(levelOf(frame), undefined);
  const fleet = new Fleet({
    ...{ frame, count, gpus, software: await softwareOf(), logLevel: levelOf(frame) },
    onLogLine: isTerminal
      ? (line) => {
          warnings.take(line);
        }
      : undefined,
    say: (fields, message) => {
      log.warn(
        fields,
        isTerminal ? `${message} (${String(fields['worker'])}: ${String(fields['reason'])})` : message,
      );
    },
  });
  const graceMs = frame.settings.grace ?? DEFAULT_GRACE_MS;
  const unlisten = onTermination({
    graceful: () => {
      fleet.stop(graceMs);
    },
    immediate: () => {
      fleet.stop(0);
    },
  });
  const ended = fleet
    .run()
    .then((code) => [code, fleet.reports] as const)
    .finally(unlisten);
  return look(frame, {
    source: fleet,
    ended,
    warnings,
    stop: () => {
      fleet.stop(graceMs);
    },
  });
}

/** Port, live view and limits around a run. */
async function look(frame: Frame, { source, stop, ended, warnings }: Running): Promise<number> {
  const { out } = frame;
  // Until it is waited for, a failure at the start must not be an unhandled rejection.
  ended.catch(() => undefined);
  const port = await openPort(frame, source);
  const screen = out.isTerminal ? await startScreen(out) : undefined;
  const draw = (): void => {
    const footer = `${port === undefined ? '' : `http://${port.host}:${port.port}/ · `}Ctrl-C stops when what is in hand is posted; twice at once`;
    screen?.show(
      viewLines(source.overview(), {
        paint: out.paint,
        columns: out.columns,
        warnings: warnings.lines,
        footer,
      }),
    );
  };
  const timer = screen && setInterval(draw, REDRAW_MS);
  let endCode: number = EXIT.ok;
  const unwatch = watchLimits({
    settings: frame.settings,
    overview: () => source.overview(),
    stop: (reason, limit) => {
      unwatch();
      // Nothing to do, and nobody who could be asked, are two things: the second must not look like success in a batch system.
      const blind = limit === 'idle' ? source.health().checks.find(isBlind) : undefined;
      if (blind) endCode = blind.name === 'contact' ? EXIT.unreachable : EXIT.failed;
      const sentence = blind ? `${reason}, and the server could not be asked: ${blind.detail}` : reason;
      if (out.isTerminal) warnings.add(sentence);
      else out.note(sentence);
      stop();
    },
  });
  try {
    const [code, reports] = await ended;
    draw();
    screen?.close();
    const worst = Math.max(code, endCode);
    tell(frame, reports, worst === EXIT.ok);
    return worst;
  } finally {
    clearInterval(timer);
    screen?.close();
    unwatch();
    await port?.close();
  }
}

const isBlind = ({ name, status }: HealthReport['checks'][number]): boolean =>
  status !== 'ok' && (name === 'contact' || name === 'server');

async function openPort(frame: Frame, source: HealthSource): Promise<HealthServer | undefined> {
  const { port, host } = frame.settings;
  if (port === undefined) return undefined;
  const { startHealthServer } = await import('../../index.js');
  const server = await startHealthServer({ source, port, host });
  if (!frame.out.isTerminal) frame.out.note(`status page: http://${server.host}:${server.port}/`);
  return server;
}

const COUNTS = [
  'taken',
  'succeeded',
  'failed',
  'lapsed',
  'posted',
  'dropped',
  'spooled',
  'abandoned',
  'replayed',
] as const;

/** Of several workers and several lives of one, the sum. A process that was killed has no report: its tasks come again. */
function tell({ out }: Frame, reports: readonly WorkerReport[], ok: boolean): void {
  const sums = Object.fromEntries(
    COUNTS.map((name) => [name, reports.reduce((sum, report) => sum + report[name], 0)]),
  ) as Record<(typeof COUNTS)[number], number>;
  const reason = reports.at(-1)?.reason ?? 'stopped';
  if (out.isTerminal) {
    const { succeeded, failed, posted, spooled, abandoned } = sums;
    out.line(
      `${reason}: ${succeeded} done, ${failed} failed, ${posted} posted${spooled > 0 ? `, ${spooled} in the spool` : ''}${abandoned > 0 ? `, ${abandoned} given back` : ''}`,
    );
  } else out.raw(JSON.stringify({ ok, reason, ...sums }));
}

/** Worker processes and later runs must find the same files, wherever they are started. */
function absolute(frame: Frame): Frame {
  const { spool, failures } = frame.settings;
  const settings = {
    ...frame.settings,
    ...(spool === undefined ? {} : { spool: resolve(frame.cwd, spool) }),
    ...(failures === undefined ? {} : { failures: resolve(frame.cwd, failures) }),
  };
  return { ...frame, settings };
}

/** A fleet that became smaller leaves results behind that nobody would ever post. */
function warnOfLeftSpools({ settings, out }: Frame, count: number): void {
  const { spool } = settings;
  if (spool === undefined || !existsSync(spool)) return;
  for (const entry of readdirSync(spool)) {
    const index = /^worker-(\d+)$/.exec(entry)?.[1];
    if (index === undefined || (count > 1 && Number(index) < count)) continue;
    const files = readdirSync(join(spool, entry), { recursive: true }).filter((name) =>
      /\.results$/.test(String(name)),
    );
    if (files.length > 0)
      out.warn(
        `results of an earlier ${nameOf(Number(index))} wait in ${join(spool, entry)}: run once with --workers ${Number(index) + 1}`,
      );
  }
}

function levelOf({ settings }: Frame): string {
  return settings.logLevel ?? 'info';
}

async function softwareOf(): Promise<string> {
  const { VERSION } = await import('../../index.js');
  return `antenna-sdk ${VERSION}`;
}
