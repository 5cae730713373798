import { createContractServer } from '../server.js';
import type { ContractServer } from '../server.js';
import type { ListenOptions, Listener } from '../transport/listen.js';
import { parseSeed, plant, readSeedFile, withoutUndefined } from './plant.js';
import type { Planted } from './plant.js';
import type { ContractServerSeed } from './schema.js';

/** A contract server on a port, with what somebody needs to use it from another process. */
export interface ServedContractServer extends Listener, Planted {
  readonly server: ContractServer;
}

/**
 * Starts a contract server on a port from a seed, so that a worker in any language can be tested against it.
 * @param seed - the seed, or the path of a JSON file that holds it.
 * @throws TypeError naming every entry of the seed that cannot be used.
 */
export async function serveContractServer(
  seed: ContractServerSeed | string,
  listen: ListenOptions = {},
): Promise<ServedContractServer> {
  const parsed = parseSeed(typeof seed === 'string' ? await readSeedFile(seed) : seed);
  const { options } = parsed;
  const server = createContractServer({ ...withoutUndefined(options ?? {}), dialect: parsed.dialect });
  const planted = plant(server, parsed);
  const listener = await server.listen(listen);
  return { ...listener, ...planted, server, close: () => server.close() };
}
