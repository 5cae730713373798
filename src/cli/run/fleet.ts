import { fork, type ChildProcess } from 'node:child_process';
import { hostname } from 'node:os';
import { createInterface } from 'node:readline';
import type {
  HealthReport,
  MachineOverview,
  WorkerMetricsSnapshot,
  WorkerOverview,
  WorkerReport,
} from '../../index.js';
import { EXIT } from '../exit-codes.js';
import { formatDuration } from '../durations.js';
import type { Frame } from '../frame.js';
import { describeGpu, type Gpu } from '../gpus.js';
import type { FromWorker, ToWorker } from './messages.js';
import { mayRestart, restartDelayMs, SETTLED_MS } from './restart.js';
import { nameOf } from './worker.js';

/** How long after the grace a worker process that has not ended is killed. */
const KILL_AFTER_MS = 5_000;
/** A process that has not spoken for so long stands still. */
const SILENT_MS = 60_000;

/** What a fleet is made of. */
export interface FleetOptions {
  readonly frame: Frame;
  readonly count: number;
  readonly gpus: readonly Gpu[];
  readonly software: string;
  readonly logLevel: string;
  /** Where standard error of the processes goes; undefined: to ours. */
  readonly onLogLine: ((line: string) => void) | undefined;
  /** Told of restarts and failures. */
  readonly say: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}

interface Slot {
  readonly index: number;
  readonly name: string;
  readonly device: string | undefined;
  child: ChildProcess | undefined;
  startedAtMs: number;
  heardAtMs: number;
  crashesInARow: number;
  /** Why there is no process now, in words. */
  waiting: string | undefined;
  timer: NodeJS.Timeout | undefined;
  overview: WorkerOverview | undefined;
  health: HealthReport | undefined;
  metrics: WorkerMetricsSnapshot | undefined;
  failure: string | undefined;
  /** How it ended for good. */
  code: number | undefined;
  readonly reports: WorkerReport[];
}

/** Several worker processes that are started, watched, restarted and stopped together. One that crashes costs itself. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #slots: readonly Slot[];
  readonly #ended: Promise<number>;
  #resolve: (code: number) => void = () => undefined;
  #stopping = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#slots = Array.from({ length: options.count }, (_, index) => {
      const gpu = options.gpus[index % Math.max(1, options.gpus.length)];
      const nothing = {
        child: undefined,
        waiting: undefined,
        timer: undefined,
        overview: undefined,
        health: undefined,
        metrics: undefined,
        failure: undefined,
        code: undefined,
      };
      return {
        index,
        name: nameOf(index),
        device: gpu && describeGpu(gpu),
        startedAtMs: 0,
        heardAtMs: 0,
        crashesInARow: 0,
        reports: [],
        ...nothing,
      };
    });
  }

  /** Starts all. @returns the exit code, when all have ended for good. */
  run(): Promise<number> {
    for (const slot of this.#slots) this.#start(slot);
    return this.#ended;
  }

  /** Stops all, within the grace; 0 at once. */
  stop(graceMs: number): void {
    this.#stopping = true;
    for (const slot of this.#slots) {
      clearTimeout(slot.timer);
      if (slot.child) {
        this.#send(slot, { kind: 'stop', graceMs });
        slot.timer = setTimeout(() => slot.child?.kill('SIGKILL'), graceMs + KILL_AFTER_MS);
      } else if (slot.code === undefined) this.#end(slot, EXIT.ok);
    }
  }

  /** What each run of each worker came to. */
  get reports(): readonly WorkerReport[] {
    return this.#slots.flatMap(({ reports }) => reports);
  }

  overview(): MachineOverview {
    const { frame, gpus, software } = this.#options;
    return {
      software,
      hostname: hostname(),
      now: new Date().toISOString(),
      gpus: gpus.map((gpu) => `${gpu.index}: ${describeGpu(gpu)}`),
      view: frame.settings.view === true,
      workers: this.#slots.flatMap((slot) => overviewOf(slot) ?? []),
    };
  }

  /** The worst of all; a process that is about to be started again needs no restart of the whole. */
  health(): HealthReport {
    const reports = this.#slots.map((slot) => healthOf(slot));
    const worst = (status: HealthReport['status']): boolean =>
      reports.some((report) => report.status === status);
    return {
      state: this.#stopping ? 'draining' : 'running',
      status: worst('stuck') ? 'stuck' : worst('degraded') ? 'degraded' : 'ok',
      live: reports.every(({ live }) => live),
      ready: !this.#stopping && reports.some(({ ready }) => ready),
      checks: reports.flatMap(({ checks }, at) =>
        checks.map((check) => ({ ...check, detail: `${nameOf(at)}: ${check.detail}` })),
      ),
    };
  }

  fleetMetrics(): Readonly<Record<string, WorkerMetricsSnapshot>> {
    return Object.fromEntries(this.#slots.flatMap(({ name, metrics }) => (metrics ? [[name, metrics]] : [])));
  }

  #start(slot: Slot): void {
    const { frame, gpus, logLevel, onLogLine } = this.#options;
    const gpu = gpus[slot.index % Math.max(1, gpus.length)];
    const child = fork(process.argv[1] ?? '', ['run-worker'], {
      // Of the report and the view nothing may come from elsewhere.
      stdio: ['ignore', 'ignore', onLogLine ? 'pipe' : 'inherit', 'ipc'],
      env: {
        ...process.env,
        ANTENNA_WORKER_INDEX: String(slot.index),
        ...(gpu ? { CUDA_VISIBLE_DEVICES: String(gpu.index) } : {}),
      },
    });
    Object.assign(slot, {
      child,
      waiting: undefined,
      startedAtMs: performance.now(),
      heardAtMs: performance.now(),
    });
    if (child.stderr && onLogLine) createInterface(child.stderr).on('line', onLogLine);
    child.on('message', (message: FromWorker) => {
      this.#heard(slot, message);
    });
    child.once('error', () => undefined);
    child.once('exit', (code, signal) => {
      this.#exited(slot, code, signal);
    });
    const { settings, origins, cwd } = frame;
    const seat = { index: slot.index, device: slot.device };
    this.#send(slot, { kind: 'start', frame: { settings, origins, cwd }, seat, logLevel });
  }

  #send({ child }: Slot, message: ToWorker): void {
    // It may have died this moment; its exit tells.
    if (child?.connected === true) child.send(message, () => undefined);
  }

  #heard(slot: Slot, message: FromWorker): void {
    slot.heardAtMs = performance.now();
    if (message.kind === 'status')
      Object.assign(slot, { overview: message.overview, health: message.health, metrics: message.metrics });
    else if (message.kind === 'done') slot.reports.push(message.report);
    else slot.failure = message.message;
  }

  #exited(slot: Slot, code: number | null, signal: NodeJS.Signals | null): void {
    const { say } = this.#options;
    clearTimeout(slot.timer);
    slot.child = undefined;
    const how = slot.failure ?? (signal === null ? `ended with ${code ?? 'no code'}` : `ended by ${signal}`);
    slot.failure = undefined;
    if (code === EXIT.ok || this.#stopping || !mayRestart(code)) {
      if (code !== EXIT.ok) say({ worker: slot.name, reason: how }, 'a worker has failed');
      this.#end(slot, code ?? EXIT.failed);
      return;
    }
    slot.crashesInARow = performance.now() - slot.startedAtMs > SETTLED_MS ? 1 : slot.crashesInARow + 1;
    const delayMs = restartDelayMs(slot.crashesInARow, Math.random);
    slot.waiting = `${how}; starts again after ${formatDuration(delayMs)}`;
    say(
      { worker: slot.name, reason: how, delayMs: Math.round(delayMs) },
      'a worker has crashed and will be started again',
    );
    slot.timer = setTimeout(() => {
      this.#start(slot);
    }, delayMs);
  }

  #end(slot: Slot, code: number): void {
    slot.code = code;
    slot.waiting = undefined;
    if (this.#slots.some((other) => other.code === undefined)) return;
    this.#resolve(Math.max(...this.#slots.map((other) => other.code ?? EXIT.ok)));
  }
}

function overviewOf(slot: Slot): WorkerOverview | undefined {
  const { overview, waiting, code } = slot;
  if (overview === undefined) return undefined;
  if (code !== undefined)
    return { ...overview, state: code === EXIT.ok ? 'stopped' : 'failed', perSecond: 0 };
  if (waiting === undefined) return overview;
  return {
    ...overview,
    state: 'restarting',
    health: 'degraded',
    perSecond: 0,
    failing: [{ name: 'process', detail: waiting }],
  };
}

function healthOf({ health, heardAtMs, child, waiting, code }: Slot): HealthReport {
  const state = health?.state ?? 'starting';
  if (code === EXIT.ok) return { state: 'stopped', status: 'ok', live: true, ready: false, checks: [] };
  if (waiting !== undefined || code !== undefined)
    return {
      state,
      status: 'degraded',
      live: true,
      ready: false,
      checks: [{ name: 'process', status: 'degraded', detail: waiting ?? 'has failed' }],
    };
  const silentMs = performance.now() - heardAtMs;
  if (child && silentMs > SILENT_MS)
    return {
      state,
      status: 'stuck',
      live: false,
      ready: false,
      checks: [{ name: 'process', status: 'stuck', detail: `silent for ${formatDuration(silentMs)}` }],
    };
  return health ?? { state, status: 'ok', live: true, ready: false, checks: [] };
}
