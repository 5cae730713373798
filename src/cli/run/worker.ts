import { join, parse } from 'node:path';
import type { AntennaClient, AntennaWorker, Logger, StatusBoard, WorkerReport } from '../../index.js';
import { connect } from '../connect.js';
import type { Frame } from '../frame.js';
import { loadPipelines } from '../load-pipelines.js';

/** Which worker of the machine it is. */
export interface WorkerSeat {
  /** Undefined: the only one. */
  readonly index: number | undefined;
  /** What it computes on, such as `NVIDIA H100, 81559 MiB`. */
  readonly device: string | undefined;
}

/** A worker made by the settings. */
export interface SeatedWorker {
  readonly worker: AntennaWorker;
  readonly client: AntennaClient;
  readonly board: StatusBoard;
  /** Works until stopped, drained or told by a signal. */
  readonly run: (options: { readonly handleSignals: boolean }) => Promise<WorkerReport>;
}

/** Makes client, pipelines and worker. @throws UsageError, AntennaConfigError. */
export async function seatWorker(frame: Frame, seat: WorkerSeat, logger: Logger): Promise<SeatedWorker> {
  const { settings } = frame;
  const { AntennaWorker: Worker, StatusBoard: Board } = await import('../../index.js');
  const { pipelines } = await loadPipelines(frame, { logger });
  const client = await connect(frame, {
    logger,
    clientInfo: {
      ...(seat.device === undefined ? {} : { gpu: seat.device }),
      ...(seat.index === undefined ? {} : { worker_index: seat.index }),
    },
  });
  const worker = new Worker({
    client,
    pipelines,
    projects: settings.project,
    jobs: settings.job,
    concurrency: settings.concurrency,
    maxBatchSize: settings.maxBatchSize,
    graceMs: settings.grace,
    failures: settings.failures === undefined ? undefined : failuresOf(settings.failures, seat.index),
    spool: settings.spool === undefined ? undefined : { directory: spoolOf(settings.spool, seat.index) },
  });
  const name = nameOf(seat.index);
  const board = new Board({ worker, name, view: settings.view, device: seat.device });
  const until = settings.until === 'drained' || settings.job !== undefined ? 'drained' : 'stopped';
  return { worker, client, board, run: ({ handleSignals }) => worker.run({ until, handleSignals }) };
}

export const nameOf = (index: number | undefined): string =>
  index === undefined ? 'worker' : `worker-${index}`;

/** The file takes one worker: `failures.jsonl` becomes `failures.worker-0.jsonl`. */
function failuresOf(file: string, index: number | undefined): string {
  if (index === undefined) return file;
  const { dir, name, ext } = parse(file);
  return join(dir, `${name}.${nameOf(index)}${ext}`);
}

/** A spool takes one worker: each process has a directory of its own below the one that was given. */
function spoolOf(spool: string, index: number | undefined): string {
  return index === undefined ? spool : join(spool, nameOf(index));
}
