import { AntennaClient } from '../client/client.js';
import { AntennaApiError, BadRequestError } from '../errors/api.js';
import { AntennaError } from '../errors/base.js';
import { AntennaConfigError } from '../errors/config.js';
import { CredentialError } from '../errors/credential.js';
import type { FetchLike } from '../http/fetch-transport.js';
import {
  checkOptions,
  either,
  isA,
  isBoolean,
  isClock,
  isDuration,
  isFunction,
  isString,
  type Check,
} from '../errors/arguments.js';
import { silentLogger } from '../log/logger.js';
import { systemClock, type Clock } from '../time/clock.js';
import { Secret } from '../auth/secret.js';
import { staticSource } from '../auth/source.js';
import type { TokenProvider } from '../auth/token-provider.js';

const DAY_MS = 86_400_000;

/** Options of {@link loginToken}. */
export interface LoginTokenOptions {
  /** Address of the Antenna server, as for the client. */
  readonly baseUrl: string;
  readonly email: string;
  readonly password: string | Secret;
  /** Log in again after this time. Default one day. The tokens themselves have no end. */
  readonly lifetimeMs?: number;
  /** Log in over plain http to another machine. Default false. */
  readonly allowInsecureHttp?: boolean;
  /** A `fetch` in place of undici. */
  readonly fetch?: FetchLike;
  /** Source of time, for tests. */
  readonly clock?: Clock;
}

const OPTIONS: { readonly [Name in keyof Required<LoginTokenOptions>]: Check } = {
  baseUrl: isString,
  email: isString,
  password: either('must be a text or a Secret', isString, isA(Secret)),
  lifetimeMs: isDuration,
  allowInsecureHttp: isBoolean,
  fetch: isFunction,
  clock: isClock,
};

/**
 * A provider that logs in to Antenna with e-mail and password: at the first request, once a day, and after a 401, as when somebody logged
 * out, which ends the user's only token everywhere (trap T12). It never logs out itself.
 * @throws AntennaConfigError naming every option that is wrong.
 */
export function loginToken(options: LoginTokenOptions): TokenProvider {
  checkOptions('Invalid loginToken options', options, OPTIONS, ['baseUrl', 'email', 'password']);
  const { email, lifetimeMs = DAY_MS, clock = systemClock } = options;
  const password = options.password instanceof Secret ? options.password.reveal() : options.password;
  const empty = Object.entries({ email, password }).filter(([, value]) => value === '');
  if (empty.length > 0) {
    const issues = empty.map(([path]) => ({ path, message: 'is empty' }));
    throw new AntennaConfigError('Invalid loginToken options', issues);
  }
  const client = new AntennaClient({
    baseUrl: options.baseUrl,
    // A source without a credential: the environment's key is not this provider's business.
    credentials: staticSource(undefined),
    logger: silentLogger,
    clock,
    retries: 1,
    fetch: options.fetch,
    allowInsecureHttp: options.allowInsecureHttp,
  });
  const provider: TokenProvider = async ({ signal }) => {
    try {
      const { auth_token: token } = await client.auth.login({ email, password }, { signal });
      return { token, expiresAt: clock.wallNow() + lifetimeMs };
    } catch (error) {
      throw explain(error, new URL(client.baseUrl).origin);
    }
  };
  return Object.assign(provider, { scheme: 'Token' as const });
}

function explain(error: unknown, origin: string): unknown {
  if (error instanceof BadRequestError) {
    return new CredentialError(
      `Antenna at ${origin} refused the login: the e-mail or the password is wrong, or the user is inactive; ` +
        'the server does not say which',
    );
  }
  if (!(error instanceof AntennaError)) return error;
  const status = error instanceof AntennaApiError ? `, status ${error.status}` : '';
  return new CredentialError(
    `The login at ${origin} failed (${error.code}${status}): check the address and that the server is up`,
  );
}
