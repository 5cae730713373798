import { cleanLine } from '../output-lines.js';
import { fromWireError } from '../wire-error.js';
import type { HandlerFault } from './messages.js';

/** Longest text of where a fault happened, for the log. */
const MAX_WHERE_CHARS = 4_000;

const KINDS = {
  permanent: 'permanent',
  retryable: 'retryable',
  out_of_memory: 'out-of-memory',
  error: 'other',
} as const;

/** A handler's fault as the error that decides what becomes of the image. */
export function faultError(fault: HandlerFault, secrets: readonly string[]): Error {
  const message = cleanLine(fault.message, secrets);
  const name = cleanLine(fault.name, secrets);
  const where = fault.where
    ?.slice(-MAX_WHERE_CHARS)
    .split('\n')
    .map((line) => cleanLine(line, secrets))
    .join('\n');
  return fromWireError({
    kind: KINDS[fault.kind],
    name,
    message,
    stack: where === undefined ? undefined : `${name}: ${message}\n${where}`,
  });
}
