import { toCredentialError } from '../auth/provider-fault.js';
import type { Credential, Scheme } from '../auth/credential.js';
import { Secret } from '../auth/secret.js';
import { loginRequestSchema, loginResponseSchema, type LoginRequest } from '../contract/login.js';
import { checkOptions } from '../errors/arguments.js';
import { AntennaAbortError } from '../errors/connection.js';
import { checkedHeaders, REQUEST_OPTIONS } from '../http/request-parts.js';
import type { Operation, RequestOptions } from '../http/operation.js';
import { checkRequest, type ResourceCore } from './core.js';

const LOGIN: Operation<{ auth_token: string }> = {
  id: 'auth.login',
  method: 'POST',
  path: '/auth/token/login/',
  replay: 'always',
  response: loginResponseSchema,
  anonymous: true,
  sensitive: true,
};

/** What may be said about the credential that the next request would carry. */
export interface CredentialHint {
  readonly scheme: Scheme;
  /** An API key's public prefix, its first 8 characters; undefined for anything else. */
  readonly prefix: string | undefined;
}

/** What {@link AuthResource.login} does. This file is loaded with the first login: a worker has its credential from elsewhere. */
export async function login(
  core: ResourceCore,
  request: LoginRequest,
  options?: RequestOptions,
): Promise<{ auth_token: Secret }> {
  const body = checkRequest(loginRequestSchema, request, 'Invalid login');
  const answer = await core.http.request(LOGIN, { body }, options);
  return { auth_token: new Secret(answer.auth_token) };
}

/** What {@link AuthResource.credential} does. */
export async function credentialHint(
  core: ResourceCore,
  options: Pick<RequestOptions, 'signal'>,
): Promise<CredentialHint | undefined> {
  checkOptions('Invalid arguments', options, REQUEST_OPTIONS);
  // Not sent, and wrong all the same: the same options go to the calls that follow.
  checkedHeaders((options as RequestOptions).headers ?? {});
  const { credentials } = core.http.options;
  const signal = options.signal ?? new AbortController().signal;
  let credential: Credential | undefined;
  try {
    signal.throwIfAborted();
    credential = await credentials.get({ reason: 'initial', signal });
  } catch (error) {
    if (signal.aborted) throw new AntennaAbortError({ cause: signal.reason, delivered: 'no' });
    throw toCredentialError(error);
  }
  return credential && { scheme: credential.scheme, prefix: credential.prefix };
}
