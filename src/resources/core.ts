import type { z } from 'zod';
import { AntennaConfigError } from '../errors/config.js';
import type { HttpClient } from '../http/http-client.js';
import type { Logger } from '../log/logger.js';
import type { ClientInfo } from '../contract/client-info.js';

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

/** zod's issues as ours; a union's are those of the branch that fits best, not "Invalid input". */
export function issuesOf(error: z.core.$ZodError): { path: string; message: string }[] {
  return error.issues.flatMap((issue) => flattenIssue(issue, []));
}

function flattenIssue(issue: z.core.$ZodIssue, prefix: PropertyKey[]): { path: string; message: string }[] {
  const path = [...prefix, ...issue.path];
  // A union with words of its own says it better than any of its branches.
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input' && issue.errors.length > 0) {
    const [best = []] = [...issue.errors].sort((a, b) => a.length - b.length);
    return best.flatMap((inner) => flattenIssue(inner, path));
  }
  return [{ path: path.map(String).join('.'), message: issue.message }];
}
