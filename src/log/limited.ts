import type { Clock } from '../time/clock.js';
import type { Logger } from './logger.js';

/** Between two warnings of one kind. */
const EVERY_MS = 60_000;

/**
 * A logger that says the same warning once a minute, with the `count` of how often it was meant since. A handler that computes in the
 * worker's own thread made one for every image, and nobody sees the others between them.
 *
 * Kinds are told apart by the message, so messages must be constant: what varies belongs in the fields.
 */
export function limitWarnings(logger: Logger, clock: Pick<Clock, 'now'>): Logger {
  const kinds = new Map<string, { saidAtMs: number; unsaid: number }>();
  return {
    debug: logger.debug.bind(logger),
    info: logger.info.bind(logger),
    error: logger.error.bind(logger),
    warn: (fields, message) => {
      const nowMs = clock.now();
      const kind = kinds.get(message);
      if (kind && nowMs - kind.saidAtMs < EVERY_MS) {
        kind.unsaid += 1;
        return;
      }
      kinds.set(message, { saidAtMs: nowMs, unsaid: 0 });
      const count = 1 + (kind?.unsaid ?? 0);
      logger.warn(count > 1 ? { ...fields, count } : fields, message);
    },
  };
}
