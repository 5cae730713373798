import { z } from 'zod';
import { Credential } from '../auth/credential.js';
import { staticSource } from '../auth/source.js';
import { AuthenticationError } from '../errors/api.js';
import type { HttpClient } from '../http/http-client.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import type { Dialect } from '../resources/core.js';

const PROBE: Operation<unknown> = {
  id: 'client.probeDialect',
  method: 'GET',
  path: '/projects/',
  replay: 'always',
  response: z.looseObject({ results: z.array(z.unknown()) }),
};

/** A key that no server can know: the secret half is too short. */
const PROBE_KEY = 'antennaA.probe';

/** What {@link AntennaClient.probeDialect} does. This file is loaded when it is asked: most credentials tell the kind of server. */
export async function probeDialect(
  http: Pick<HttpClient, 'request'>,
  options?: RequestOptions,
): Promise<Dialect> {
  const credentials = staticSource(Credential.apiKey(PROBE_KEY));
  try {
    await http.request(PROBE, { credentials, query: { limit: 1 } }, options);
    return 'token';
  } catch (error) {
    if (error instanceof AuthenticationError) return 'api-key';
    throw error;
  }
}
