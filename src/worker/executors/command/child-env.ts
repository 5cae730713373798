import { HANDLER_PROTOCOL } from './messages.js';
import { pythonPath } from './python-helper.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables, or a function that gives them for each process (from 0). */
export type EnvOf = Environment | ((index: number) => Environment);

/**
 * What is added to the environment of a handler's process: its graphics card, what the caller gives, and where Python finds the helper.
 * `ANTENNA_HANDLER` tells a program that a worker started it.
 */
export function childEnv(
  base: Environment,
  added: EnvOf | undefined,
  index: number,
  devices: readonly (string | number)[] | undefined,
): Record<string, string | undefined> {
  const own = typeof added === 'function' ? added(index) : added;
  const device = devices?.[index % devices.length];
  return {
    ANTENNA_HANDLER: String(HANDLER_PROTOCOL),
    ANTENNA_HANDLER_INDEX: String(index),
    ...(device === undefined ? {} : { CUDA_VISIBLE_DEVICES: String(device) }),
    ...own,
    PYTHONPATH: pythonPath(own?.['PYTHONPATH'] ?? base['PYTHONPATH']),
  };
}
