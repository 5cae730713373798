import type { AntennaClient } from '../../client/client.js';
import type { Logger } from '../../log/logger.js';
import type { Clock } from '../../time/clock.js';
import type { TaskRef, WorkerEventBus } from '../observe/events.js';
import { credentialsIn } from '../executors/output-lines.js';
import { FailureLog } from '../observe/failure-log.js';
import type { Leases } from '../policy/lease/lease.js';
import type { ResolvedWorkerOptions } from './options.js';
import type { Tally } from '../task/outcome.js';
import type { Origins } from '../policy/shares/origins.js';
import { Troubles } from '../policy/shares/troubles.js';
import type { Estimator, SizingLimits } from '../policy/sizing/estimator.js';
import type { Hold } from '../task/hold.js';
import type { PaceKeeper } from './pace-keeper.js';
import type { Phases } from '../task/phases.js';
import type { ServerRecord } from '../observe/server-record.js';
import type { WorkItem } from '../task/work-item.js';

/** What the parts of one run share. */
export interface RunContext {
  readonly options: ResolvedWorkerOptions;
  readonly client: AntennaClient;
  readonly clock: Clock;
  /** Says a warning that repeats itself once a minute. */
  readonly logger: Logger;
  readonly bus: WorkerEventBus;
  readonly tally: Tally;
  readonly leases: Leases;
  readonly estimator: Estimator;
  readonly hold: Hold;
  /** How fast the server saves, and what follows from it. */
  readonly pace: PaceKeeper;
  readonly phases: Phases;
  /** What keeps the worker from its work although the server answers. */
  readonly server: ServerRecord;
  /** Image hosts, and the downloads that each bears. */
  readonly origins: Origins;
  /** Who fails or stalls. */
  readonly troubles: Troubles;
  /** Reports something that the run goes on after. */
  readonly note: (error: unknown, doing: string, jobId?: number) => void;
  /** Evidence of what failed, if the worker keeps any. */
  readonly failures?: FailureLog | undefined;
  /** Something changed that a loop may be waiting for. */
  readonly changed: () => void;
}

/** How events and logs name a task. Events of every task write it out: adding to a spread copy is the slow way to make an object. */
export function refOf(item: WorkItem): TaskRef {
  return { jobId: item.jobId, imageId: item.task.image_id, attempt: item.delivery };
}

/** The bounds that do not depend on the model. */
export function limitsOf({ options, leases }: Pick<RunContext, 'options' | 'leases'>): SizingLimits {
  return {
    leaseMs: leases.lengthMs,
    lanes: options.concurrency,
    budgetBytes: options.imageBudgetBytes,
    maxHeld: options.maxHeld,
  };
}

/** The log of a worker, if it keeps one. */
export function openFailureLog({ failures, client }: ResolvedWorkerOptions): FailureLog | undefined {
  if (!failures) return undefined;
  return new FailureLog(failures, {
    clock: client.clock,
    secrets: credentialsIn(process.env),
    onTrouble: (error) => {
      client.logger.error({ error }, 'failures cannot be written to their file; the worker goes on');
    },
  });
}

/** A register of what fails or stalls that tells events and log. */
export function createTroubles(random: () => number, bus: WorkerEventBus, logger: Logger): Troubles {
  return new Troubles(random, {
    began: (trouble) => {
      bus.emit('trouble', trouble);
      logger.warn({ reason: `${trouble.stage} ${trouble.subject}`, count: trouble.failures }, trouble.text);
    },
    ended: (trouble) => {
      bus.emit('trouble_over', trouble);
      logger.info({ reason: `${trouble.stage} ${trouble.subject}` }, 'what was in trouble works again');
    },
  });
}
