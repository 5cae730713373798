import { withoutCredentials } from '../output-lines.js';
import { HANDLER_PROTOCOL } from './messages.js';
import { pythonPath } from './python-helper.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables, or a function that gives them for each process (from 0). */
export type EnvOf = Environment | ((index: number) => Environment);

/**
 * The environment of a handler's process: that of the worker without its credentials, the graphics card of this process, what the caller
 * adds, and where Python finds the helper. `ANTENNA_HANDLER` tells a program that a worker started it.
 */
export function childEnv(
  base: Environment,
  added: EnvOf | undefined,
  index: number,
  devices: readonly (string | number)[] | undefined,
): Record<string, string | undefined> {
  const own = typeof added === 'function' ? added(index) : added;
  const device = devices?.[index % devices.length];
  const env: Record<string, string | undefined> = {
    ...withoutCredentials(base),
    ANTENNA_HANDLER: String(HANDLER_PROTOCOL),
    ANTENNA_HANDLER_INDEX: String(index),
    ...(device === undefined ? {} : { CUDA_VISIBLE_DEVICES: String(device) }),
    ...own,
  };
  env['PYTHONPATH'] = pythonPath(env['PYTHONPATH']);
  return env;
}
