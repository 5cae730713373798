import type { z } from 'zod';
import { AntennaConfigError } from '../errors/config.js';
import type { HttpClient } from '../http/http-client.js';
import type { Logger } from '../log/logger.js';
import type { Id } from '../contract/ids.js';
import type { ClientInfo } from '../contract/client-info.js';
import { issuesOf } from '../contract/issues.js';

export { issuesOf };

/** The two kinds of Antenna server (contract, introduction). */
export type Dialect = 'api-key' | 'token';

/** What every resource works with. */
export interface ResourceCore {
  readonly http: HttpClient;
  readonly logger: Logger;
  /** From the option or the credential; undefined when neither tells. */
  readonly dialect: Dialect | undefined;
  /** Sent with registration, tasks and results; undefined when turned off. */
  readonly clientInfo: ClientInfo | undefined;
  /** Service name for registration in the `token` dialect. */
  readonly serviceName: string | undefined;
}

/**
 * Checks a request before it is sent.
 * @returns the value with the schema's defaults filled in.
 * @throws AntennaConfigError naming every wrong field.
 */
export function checkRequest<Value>(schema: z.ZodType<Value>, value: unknown, subject: string): Value {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AntennaConfigError(subject, issuesOf(parsed.error));
}

/** A query leaves out what is undefined; null is an id that is none, and refused. */
export function idOrNull(id: Id | undefined): Id | null {
  return id ?? null;
}
