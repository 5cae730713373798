import { EXIT } from '../exit-codes.js';

/** First wait before a crashed worker is started again; doubles with each crash in a row. */
const BASE_MS = 1_000;
const MAX_MS = 60_000;
/** One that ran for so long had not crashed at its start; the next crash counts as the first. */
export const SETTLED_MS = 60_000;

/** How long to wait before the worker is started again, with jitter, so that a fleet does not come back at one moment. */
export function restartDelayMs(crashesInARow: number, random: () => number): number {
  const delayMs = Math.min(MAX_MS, BASE_MS * 2 ** Math.max(0, crashesInARow - 1));
  return delayMs * (0.5 + random() / 2);
}

/** Whether starting again could help: wrong settings and a refused credential stay what they are. */
export function mayRestart(code: number | null): boolean {
  return code !== EXIT.ok && code !== EXIT.usage && code !== EXIT.refused;
}
