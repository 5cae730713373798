import { hostname } from 'node:os';
import type { AntennaClient, AntennaClientOptions, Dialect, Logger } from '../index.js';
import { UsageError } from './exit-codes.js';
import type { Frame } from './frame.js';
import { askSecret } from './prompt.js';
import type { SettingName } from './settings.js';

/** A credential and the kind of server that it is for, as options of the client. */
type Credential = Pick<AntennaClientOptions, 'apiKey' | 'token' | 'tokenProvider' | 'tokenScheme'>;

/** What a command needs of its client. */
export interface ConnectOptions {
  /** `user`: a key will not do, since it belongs to a service. Default `any`. */
  readonly who?: 'user' | 'any';
  readonly logger?: Logger;
  readonly clientInfo?: Readonly<Record<string, unknown>>;
}

/** The options of a client by the settings; a missing credential is asked for where somebody can answer. @throws UsageError. */
async function clientOptions(
  frame: Frame,
  { who = 'any', logger, clientInfo }: ConnectOptions = {},
): Promise<AntennaClientOptions> {
  const { silentLogger } = await import('../index.js');
  const { settings } = frame;
  const credential = await credentialOf(frame, who);
  const dialect = settings.dialect as Dialect | undefined;
  const forToken =
    (dialect ??
      (credential.apiKey === undefined && credential.tokenScheme !== 'Api-Key' ? 'token' : 'api-key')) ===
    'token';
  return {
    baseUrl: addressOf(frame),
    ...credential,
    dialect,
    proxy: settings.proxy ?? (hasProxy(frame.env) ? 'env' : undefined),
    allowInsecureHttp: settings.allowInsecureHttp,
    serviceName: forToken ? serviceNameOf(frame) : undefined,
    logger: logger ?? silentLogger,
    clientInfo,
  };
}

/** A client by the settings. @throws UsageError, AntennaConfigError. */
export async function connect(frame: Frame, options: ConnectOptions = {}): Promise<AntennaClient> {
  const { AntennaClient } = await import('../index.js');
  return new AntennaClient(await clientOptions(frame, options));
}

/** @throws UsageError when nobody said where the server is. */
export function addressOf({ settings }: Frame): string {
  if (settings.url !== undefined) return settings.url;
  throw new UsageError(
    'No server is configured: set ANTENNA_API_URL or give --url https://antenna.example.org; antenna serve starts one to try',
  );
}

/**
 * The name under which a worker registers on servers without keys. The Python worker appends the host, so a migrant's variable of
 * its name finds the same row on the server.
 */
function serviceNameOf({ settings, origins }: Frame): string | undefined {
  const name = settings.serviceName;
  const fromPython = origins.serviceName?.label.startsWith('AMI_') === true;
  return name !== undefined && fromPython ? `${name} (${hostname()})` : name;
}

export function hasProxy(env: Frame['env']): boolean {
  return ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some((name) => (env[name] ?? '') !== '');
}

/** The same frame with a credential in it, asked for where somebody can answer: once, and not by each of several processes. */
export async function withCredential(frame: Frame): Promise<Frame> {
  if (chosenCredential(frame, 'any') !== undefined || !frame.interactive) return frame;
  const { apiKey, token } = await asked(frame, 'any');
  return {
    ...frame,
    settings: {
      ...frame.settings,
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
      ...(typeof token === 'string' ? { token } : {}),
    },
  };
}

const CREDENTIALS = [
  'apiKey',
  'apiKeyFile',
  'token',
  'tokenFile',
  'email',
] as const satisfies readonly SettingName[];

/** The strongest source wins, so that a flag is not beaten by a key that happens to be in the environment; of one source a key beats a token. */
function chosenCredential(
  { settings, origins }: Frame,
  who: 'user' | 'any',
): (typeof CREDENTIALS)[number] | undefined {
  const given = CREDENTIALS.filter((name) => settings[name] !== undefined)
    // Of a server that ignores keys, a key is none.
    .filter((name) => !(settings.dialect === 'token' && (name === 'apiKey' || name === 'apiKeyFile')))
    .filter((name) => who === 'any' || (name !== 'apiKey' && name !== 'apiKeyFile'));
  const rank = (name: SettingName): number => origins[name]?.rank ?? 9;
  return given.sort((a, b) => rank(a) - rank(b))[0];
}

async function credentialOf(frame: Frame, who: 'user' | 'any'): Promise<Credential> {
  const { settings } = frame;
  switch (chosenCredential(frame, who)) {
    case 'apiKey':
      return { apiKey: settings.apiKey };
    case 'token':
      return { token: settings.token };
    case 'apiKeyFile':
      return fromFile(settings.apiKeyFile ?? '', 'Api-Key');
    case 'tokenFile':
      return fromFile(settings.tokenFile ?? '', 'Token');
    case 'email':
      return login(frame);
    case undefined:
      return asked(frame, who);
  }
}

async function fromFile(path: string, tokenScheme: 'Api-Key' | 'Token'): Promise<Credential> {
  const { fileToken } = await import('../index.js');
  return { tokenProvider: fileToken(path), tokenScheme };
}

async function login(frame: Frame): Promise<Credential> {
  const { loginToken } = await import('../index.js');
  const { email = '', password } = frame.settings;
  if (password === undefined && !frame.interactive)
    throw new UsageError(`There is no password for ${email}: set ANTENNA_STAFF_PASSWORD`);
  return {
    tokenProvider: loginToken({
      baseUrl: addressOf(frame),
      email,
      password: password ?? (await askSecret(`Password of ${email}`)),
    }),
    tokenScheme: 'Token',
  };
}

async function asked(frame: Frame, who: 'user' | 'any'): Promise<Credential> {
  // Before a secret is asked for: without an address it would be for nothing.
  addressOf(frame);
  const user = who === 'user' || frame.settings.dialect === 'token';
  if (!frame.interactive) {
    const how = user
      ? "a staff user's or superuser's: ANTENNA_STAFF_EMAIL and ANTENNA_STAFF_PASSWORD, or ANTENNA_API_AUTH_TOKEN"
      : 'ANTENNA_API_KEY, ANTENNA_API_KEY_FILE or ANTENNA_API_AUTH_TOKEN; antenna provision makes a key';
    throw new UsageError(`No credential is configured: set ${how}`);
  }
  const secret = await askSecret(user ? "A user's token (not shown)" : 'API key or user token (not shown)');
  return !user && secret.includes('.') ? { apiKey: secret } : { token: secret };
}
