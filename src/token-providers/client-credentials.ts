import type * as oauth from 'oauth4webapi';
import { AntennaConfigError, type ConfigIssue } from '../errors/config.js';
import { CredentialError } from '../errors/credential.js';
import { isLoopback } from '../http/url.js';
import {
  either,
  isA,
  isBoolean,
  isClock,
  isDuration,
  isFunction,
  isOneOf,
  isString,
  optionIssues,
  type Check,
} from '../errors/arguments.js';
import { systemClock, type Clock } from '../time/clock.js';
import { late } from '../time/late.js';
import { Secret } from '../auth/secret.js';
import type { TokenProvider, TokenScheme } from '../auth/token-provider.js';
import { isScheme } from '../auth/token-scheme.js';
import { explainOAuth } from './oauth-fault.js';
import { importPrivateKey } from './private-key.js';

/** With the first token, not with the package: most programs never need it. */
const oauthLibrary = late(() => import('oauth4webapi'));

/** Options of {@link clientCredentials}. Either `issuer` or `tokenEndpoint`, either `clientSecret` or `privateKey`. */
export interface ClientCredentialsOptions {
  /** The issuer, whose metadata name the token endpoint. */
  readonly issuer?: string;
  /** The token endpoint itself, for a server without metadata. */
  readonly tokenEndpoint?: string;
  readonly clientId: string;
  readonly clientSecret?: string | Secret;
  /** A private key in PEM, for `private_key_jwt`. */
  readonly privateKey?: string | Secret;
  /** Id of that key at the issuer, sent as `kid`. */
  readonly keyId?: string;
  /** How a client secret is sent. Default: as the issuer's metadata say, else `basic`. */
  readonly authentication?: 'basic' | 'post';
  /** Scopes, with spaces between them. */
  readonly scope?: string;
  /** Sent as `audience`, which several vendors want. */
  readonly audience?: string;
  /** Sent as `resource` (RFC 8707). */
  readonly resource?: string;
  /** How the token is sent to Antenna's gateway, unless the client's `tokenScheme` says. Default `Bearer`. */
  readonly scheme?: TokenScheme;
  /** How long a token serves whose end the issuer does not tell. Default 300,000 ms. */
  readonly lifetimeMs?: number;
  /** Send the client's secret over plain http to another machine. Default false. */
  readonly allowInsecureHttp?: boolean;
  /** A `fetch` in place of the global one. */
  readonly fetch?: typeof globalThis.fetch;
  /** Source of time, for tests. */
  readonly clock?: Clock;
}

const isSecret = either('must be a text or a Secret', isString, isA(Secret));
const OPTIONS: { readonly [Name in keyof Required<ClientCredentialsOptions>]: Check } = {
  issuer: isString,
  tokenEndpoint: isString,
  clientId: isString,
  clientSecret: isSecret,
  privateKey: isSecret,
  keyId: isString,
  authentication: isOneOf('basic', 'post'),
  scope: isString,
  audience: isString,
  resource: isString,
  scheme: isScheme,
  lifetimeMs: isDuration,
  allowInsecureHttp: isBoolean,
  fetch: isFunction,
  clock: isClock,
};

/**
 * A provider for service accounts: the client credentials grant of OAuth 2 (RFC 6749 §4.4), with a client secret or a signed
 * assertion (RFC 7523).
 * @throws AntennaConfigError naming every option that is wrong.
 */
export function clientCredentials(options: ClientCredentialsOptions): TokenProvider {
  check(options);
  const { clock = systemClock, lifetimeMs = 300_000 } = options;
  // The metadata, not the promise of it: a promise would be bound to the signal of the refresh that began it.
  let server: oauth.AuthorizationServer | undefined;
  let authentication: oauth.ClientAuth | undefined;
  const provider: TokenProvider = async ({ signal }) => {
    const startedAtMs = clock.wallNow();
    try {
      const library = await oauthLibrary();
      server ??= await discover(library, options, signal);
      authentication ??= await authenticate(library, options, server);
      const answer = await exchange(library, options, server, authentication, signal);
      const lifetime = answer.expires_in === undefined ? lifetimeMs : answer.expires_in * 1_000;
      return { token: new Secret(answer.access_token), expiresAt: startedAtMs + lifetime };
    } catch (error) {
      throw explainOAuth(error, addressOf(options).origin);
    }
  };
  return Object.assign(provider, { scheme: options.scheme ?? 'Bearer' });
}

type Library = typeof oauth;

function requestOptions(
  library: Library,
  options: ClientCredentialsOptions,
  signal: AbortSignal,
): oauth.ClientCredentialsGrantRequestOptions & oauth.DiscoveryRequestOptions {
  const url = addressOf(options);
  const fetchLike = options.fetch;
  const insecure = url.protocol === 'http:' && (isLoopback(url) || options.allowInsecureHttp === true);
  return {
    signal,
    ...(insecure ? { [insecureSwitch(library)]: true } : {}),
    ...(fetchLike ? { [library.customFetch]: plainFetch(fetchLike) } : {}),
  };
}

/**
 * The library marks its switch for plain http as deprecated, only to make it stand out. It is set for loopback, or when the user said so.
 */
function insecureSwitch(library: Readonly<Record<string, unknown>>): symbol {
  const found = library['allowInsecureRequests'];
  if (typeof found === 'symbol') return found;
  throw new CredentialError(
    'This version of oauth4webapi refuses plain http: use https for the OAuth server',
  );
}

type LibraryInit = oauth.CustomFetchOptions<string, URLSearchParams | undefined>;

/** The library passes `body: undefined`, which the type of `fetch` refuses. */
function plainFetch(
  fetchLike: typeof globalThis.fetch,
): (url: string, init: LibraryInit) => Promise<Response> {
  return (url, { body, signal, ...init }) =>
    fetchLike(url, { ...init, ...(body ? { body } : {}), ...(signal ? { signal } : {}) });
}

async function discover(
  library: Library,
  options: ClientCredentialsOptions,
  signal: AbortSignal,
): Promise<oauth.AuthorizationServer> {
  const { issuer, tokenEndpoint } = options;
  if (issuer === undefined) {
    return { issuer: addressOf(options).origin, ...(tokenEndpoint ? { token_endpoint: tokenEndpoint } : {}) };
  }
  const url = new URL(issuer);
  const common = requestOptions(library, options, signal);
  const first = await library.discoveryRequest(url, common);
  if (first.status !== 404) return library.processDiscoveryResponse(url, first);
  // A plain OAuth 2 server has no OpenID configuration; its metadata are those of RFC 8414.
  await first.body?.cancel();
  const second = await library.discoveryRequest(url, { ...common, algorithm: 'oauth2' });
  return library.processDiscoveryResponse(url, second);
}

async function authenticate(
  library: Library,
  options: ClientCredentialsOptions,
  server: oauth.AuthorizationServer,
): Promise<oauth.ClientAuth> {
  if (options.privateKey !== undefined) {
    const key = await importPrivateKey(reveal(options.privateKey));
    return library.PrivateKeyJwt(options.keyId === undefined ? key : { key, kid: options.keyId });
  }
  const secret = reveal(options.clientSecret ?? '');
  const methods = server.token_endpoint_auth_methods_supported;
  const basic = methods === undefined || methods.includes('client_secret_basic');
  const way = options.authentication ?? (basic ? 'basic' : 'post');
  return way === 'basic' ? library.ClientSecretBasic(secret) : library.ClientSecretPost(secret);
}

async function exchange(
  library: Library,
  options: ClientCredentialsOptions,
  server: oauth.AuthorizationServer,
  authentication: oauth.ClientAuth,
  signal: AbortSignal,
): Promise<oauth.TokenEndpointResponse> {
  const client: oauth.Client = { client_id: options.clientId };
  const parameters = new URLSearchParams();
  for (const name of ['scope', 'audience', 'resource'] as const) {
    const value = options[name];
    if (value !== undefined) parameters.set(name, value);
  }
  const common = requestOptions(library, options, signal);
  const response = await library.clientCredentialsGrantRequest(
    server,
    client,
    authentication,
    parameters,
    common,
  );
  return library.processClientCredentialsResponse(server, client, response);
}

function check(options: ClientCredentialsOptions): void {
  const issues: ConfigIssue[] = optionIssues(options, OPTIONS);
  // The rest looks inside of them.
  if (issues.length > 0) throw new AntennaConfigError('Invalid clientCredentials options', issues);
  if ((options.issuer === undefined) === (options.tokenEndpoint === undefined)) {
    issues.push({ path: 'issuer, tokenEndpoint', message: 'give one of the two' });
  } else if (!URL.canParse(options.issuer ?? options.tokenEndpoint ?? '')) {
    issues.push({ path: options.issuer === undefined ? 'tokenEndpoint' : 'issuer', message: 'is not a URL' });
  } else {
    const url = addressOf(options);
    if (url.protocol === 'http:' && !isLoopback(url) && options.allowInsecureHttp !== true) {
      const message =
        'would send the secret unencrypted: use https, or set allowInsecureHttp if the network is trusted';
      issues.push({ path: options.issuer === undefined ? 'tokenEndpoint' : 'issuer', message });
    }
  }
  if (!options.clientId) issues.push({ path: 'clientId', message: 'is empty' });
  if (reveal(options.clientSecret ?? '') === '' && reveal(options.privateKey ?? '') === '') {
    issues.push({ path: 'clientSecret, privateKey', message: 'give one of the two' });
  }
  if (issues.length > 0) throw new AntennaConfigError('Invalid clientCredentials options', issues);
}

function addressOf(options: ClientCredentialsOptions): URL {
  return new URL(options.issuer ?? options.tokenEndpoint ?? '');
}

function reveal(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value;
}
