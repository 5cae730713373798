import { resolve } from 'node:path';
import type { ListenAddress } from '../index.js';
import { UsageError } from './exit-codes.js';

const TOKEN = 'ANTENNA_ATTACH_TOKEN';
const LOOPBACK = new Set(['127.0.0.1', 'localhost']);

/**
 * Where `--attach` waits: the path of a socket, or `tcp://127.0.0.1:PORT` with the token that `attach` of `antenna_handler.py` takes from
 * the same variable.
 * @throws UsageError for another machine's address, a port or token that is missing, or a path on Windows.
 */
export function attachAddress(
  given: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): ListenAddress {
  if (!/^tcp:/i.test(given)) {
    if (platform !== 'win32') return resolve(cwd, given);
    throw new UsageError(
      `--attach ${given}: no socket has a path on Windows; give tcp://127.0.0.1:8765, and a token in ${TOKEN} here and for attach()`,
    );
  }
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !LOOPBACK.has(url.hostname) || url.port === '')
    throw new UsageError(
      `--attach ${given}: must be tcp://127.0.0.1:PORT, or the path of a socket; a handler attaches on this machine alone`,
    );
  const token = env[TOKEN];
  if (token === undefined || token === '')
    throw new UsageError(
      `--attach ${given}: anybody on this machine can reach a port, so set ${TOKEN} to the same secret of 16 characters or more here and for attach()`,
    );
  return { port: Number(url.port), token };
}
