import { deepFreeze } from '../cache/freeze.js';
import { AntennaClient } from '../client/client.js';
import type { User } from '../contract/auth.js';
import { AuthenticationError, PermissionDeniedError } from '../errors/api.js';
import { checkArguments, checkOptions, isA, isId, type Check, type Id } from '../errors/arguments.js';
import { REQUEST_OPTIONS } from '../http/request-parts.js';
import type { RequestOptions } from '../http/operation.js';
import type { CredentialHint } from '../resources/login.js';
import type { Dialect } from '../resources/core.js';
import { reportOf, type CredentialReport, type Findings } from './credential-report.js';
import { Look } from './look.js';

/** Options of {@link checkCredential}. The request options hold for each request. */
export interface CheckCredentialOptions extends Omit<RequestOptions, 'nocache'> {
  /** Ids of the projects to look at. Default: those that the credential sees, up to 100. */
  readonly projects?: readonly Id[] | undefined;
}

const { nocache: _, ...REQUEST } = REQUEST_OPTIONS;
const OPTIONS: { readonly [Name in keyof Required<CheckCredentialOptions>]: Check } = {
  ...REQUEST,
  projects: (projects) =>
    Array.isArray(projects) && Array.from(projects).every((id) => isId(id) === undefined)
      ? undefined
      : 'must be a list of project ids',
};

/**
 * Finds out what the client's credential is good for: whether the server accepts it, of which dialect the server is, whose it is, which
 * projects a worker with it gets tasks of, and what it cannot do and why.
 *
 * It only reads, with this credential alone, and says of a credential that is refused no more than the server tells every caller: the
 * report on a key that was revoked, that never existed, or whose first half belongs to somebody else is the same. Only for a key that the server has
 * accepted it looks up the service that shows its public prefix.
 * @throws AntennaError when the server cannot be reached, fails or is none; never because the credential is refused.
 * @throws CredentialError when the token provider gives none.
 */
export async function checkCredential(
  client: AntennaClient,
  options: CheckCredentialOptions = {},
): Promise<CredentialReport> {
  checkArguments({ client }, { client: isA(AntennaClient) });
  checkOptions('Cannot check the credential', options, OPTIONS);
  const { projects, ...given } = options;
  // What was true five minutes ago is not what is asked for.
  const request = { ...given, nocache: true };
  const hint = await client.auth.credential(request);
  const caller = await callerOf(client, hint, request);
  const dialect = await dialectOf(client, hint, caller, request);
  const common = { scheme: hint?.scheme, dialect, kind: kindOf(hint, caller) };
  const details = await detailsOf(new Look(client, projects?.map(Number), request), hint, caller);
  return deepFreeze(reportOf({ ...NOTHING, ...common, verdict: caller.verdict, ...details }));
}

type Caller =
  | { readonly verdict: 'rejected' | 'ignored' | 'missing' }
  | { readonly verdict: 'accepted'; readonly user: User | undefined };

const NOTHING = {
  user: undefined,
  service: undefined,
  projects: [],
  complete: true,
  superuser: false,
} as const;

/** The server answers a user with the user, a service's key with 403, and anybody else with 401. */
async function callerOf(
  client: AntennaClient,
  hint: CredentialHint | undefined,
  request: RequestOptions,
): Promise<Caller> {
  if (hint === undefined) return { verdict: 'missing' };
  try {
    return { verdict: 'accepted', user: await client.auth.me(request) };
  } catch (error) {
    // A page of HTML is the refusal of something that stands before the server.
    if (error instanceof PermissionDeniedError) {
      return error.body === undefined ? { verdict: 'rejected' } : { verdict: 'accepted', user: undefined };
    }
    if (!(error instanceof AuthenticationError)) throw error;
  }
  try {
    // A credential that is not understood leaves the caller anonymous, to whom public things are shown (trap T7).
    await client.projects.list({ limit: 1 }, request);
    return { verdict: 'ignored' };
  } catch (error) {
    if (error instanceof AuthenticationError) return { verdict: 'rejected' };
    throw error;
  }
}

async function dialectOf(
  client: AntennaClient,
  hint: CredentialHint | undefined,
  caller: Caller,
  request: RequestOptions,
): Promise<Dialect | undefined> {
  // A gateway that refuses says nothing of what is behind it.
  const gateway = hint?.scheme === 'Bearer' || hint?.scheme === 'header';
  if (caller.verdict === 'rejected' && gateway) return undefined;
  return (await client.processingServices.supportsKeys(request)) ? 'api-key' : 'token';
}

function kindOf(hint: CredentialHint | undefined, caller: Caller): CredentialReport['kind'] {
  if (hint === undefined) return 'none';
  if (caller.verdict === 'accepted') return caller.user ? 'user' : 'key';
  if (hint.scheme === 'Api-Key') return 'key';
  return hint.scheme === 'Token' ? 'user' : 'unknown';
}

async function detailsOf(
  look: Look,
  hint: CredentialHint | undefined,
  caller: Caller,
): Promise<Partial<Findings>> {
  if (caller.verdict !== 'accepted') return {};
  if (caller.user === undefined) return look.forKey(hint?.prefix);
  const { id, name } = caller.user;
  return { user: { id, name }, ...(await look.forUser()) };
}
