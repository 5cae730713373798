import type { HealthReport, WorkerMetricsSnapshot, WorkerOverview, WorkerReport } from '../../index.js';
import type { Frame } from '../frame.js';
import type { WorkerSeat } from './worker.js';

/**
 * What the parent tells a worker process. Settings travel here and not on a command line, where every user of the machine could read
 * the key.
 */
export type ToWorker =
  | {
      readonly kind: 'start';
      readonly frame: Pick<Frame, 'settings' | 'origins' | 'cwd'>;
      readonly seat: WorkerSeat;
      readonly logLevel: string;
    }
  | { readonly kind: 'stop'; readonly graceMs: number };

/** What a worker process tells its parent. */
export type FromWorker =
  | {
      readonly kind: 'status';
      readonly overview: WorkerOverview;
      readonly health: HealthReport;
      readonly metrics: WorkerMetricsSnapshot;
    }
  | { readonly kind: 'done'; readonly report: WorkerReport }
  | { readonly kind: 'failed'; readonly message: string };
