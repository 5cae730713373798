import { isClock, isDuration, isFunction, isLogger, isTexts, isWait } from '../../errors/arguments.js';

/** Options that threads and processes have in common: what is said of a wrong one is said of both. */
export const START_CHECKS = {
  timeoutMs: isDuration,
  startTimeoutMs: isDuration,
  abortGraceMs: isWait,
  execArgv: isTexts,
};
export const SURROUNDING_CHECKS = { logger: isLogger, clock: isClock, random: isFunction };
