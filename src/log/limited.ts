import { LRUCache } from 'lru-cache';
import type { Clock } from '../time/clock.js';
import type { Logger } from './logger.js';

/** Between two warnings of one kind. */
const EVERY_MS = 60_000;
/** Kinds that are remembered; one that is forgotten is said once too often. */
const MAX_KINDS = 500;

/**
 * A logger that says the same warning once a minute, with the `count` of how often it was meant since. A handler that computes in the
 * worker's own thread made one for every image, and nobody sees the others between them.
 *
 * Kinds are told apart by the message and the job, so messages must be constant: what varies belongs in the fields.
 */
export function limitWarnings(logger: Logger, clock: Pick<Clock, 'now'>): Logger {
  const kinds = new LRUCache<string, { saidAtMs: number; unsaid: number }>({ max: MAX_KINDS });
  return {
    debug: logger.debug.bind(logger),
    info: logger.info.bind(logger),
    error: logger.error.bind(logger),
    warn: (fields, message) => {
      const nowMs = clock.now();
      const { job } = fields;
      const key = typeof job === 'number' ? `${message} ${job}` : message;
      const kind = kinds.get(key);
      if (kind && nowMs - kind.saidAtMs < EVERY_MS) {
        kind.unsaid += 1;
        return;
      }
      kinds.set(key, { saidAtMs: nowMs, unsaid: 0 });
      const count = 1 + (kind?.unsaid ?? 0);
      logger.warn(count > 1 ? { ...fields, count } : fields, message);
    },
  };
}
