import type { LeftOut } from '../contract/answer.js';
import type { Logger } from '../log/logger.js';
import { late } from '../time/late.js';
import type { LeftOutHook, LeftOutReport } from './left-out-report.js';

const reports = late(() => import('./left-out-report.js'));

/** Tells of what was left out of an answer. @param path - of the request. */
export type TellLeftOut = (operation: string, path: string, leftOut: readonly LeftOut[]) => Promise<void>;

/**
 * A {@link LeftOutReport} that is loaded with the first answer of which something cannot be read. It never fails: what could be read is
 * worth more.
 */
export function lateLeftOutReport(logger: Logger, hook: LeftOutHook | undefined): TellLeftOut {
  let report: LeftOutReport | undefined;
  return async (operation, path, leftOut) => {
    try {
      const { LeftOutReport } = await reports();
      report ??= new LeftOutReport(logger, hook);
      report.tell(operation, path, leftOut);
    } catch (error) {
      logger.warn({ operation, path, error }, 'parts of an answer could not be read');
    }
  };
}
