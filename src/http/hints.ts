import type { Scheme } from '../auth/credential.js';

/** What a hint can be derived from. */
export interface HintContext {
  readonly operation: string;
  readonly status: number;
  /** Scheme of the credential that was sent; undefined if none was. */
  readonly scheme: Scheme | undefined;
  /** The server's own words; only hints may depend on them, never behaviour (trap T6). */
  readonly detail: string;
  /** True if the body was JSON. */
  readonly json: boolean;
}

const TAKES_TASKS = new Set(['tasks.reserve', 'results.submit']);
const STAFF_ONLY = /^processingServices\.(?:create|generateKey)$/;

/** What the caller can do about an error answer, if we know better than the server says. */
export type HintFor = (context: HintContext) => string | undefined;

/** {@link HintFor} of Antenna's answers. */
export function hintFor(context: HintContext): string | undefined {
  switch (context.status) {
    case 400:
      return badRequestHint(context);
    case 401:
      return authenticationHint(context);
    case 403:
      return permissionHint(context);
    case 404:
      return notFoundHint(context);
    case 413:
      return 'A proxy limits the size of bodies: send fewer results at once';
    case 500:
      return serverHint(context.operation);
    default:
      return undefined;
  }
}

function badRequestHint({ operation, scheme, detail }: HintContext): string | undefined {
  if (operation === 'auth.login') return 'Check e-mail and password; the account must be active';
  if (operation !== 'pipelines.register') return undefined;
  if (scheme !== 'Api-Key' && /api key/i.test(detail)) {
    return 'This server is of the `api-key` dialect, which registers with an API key only: set `apiKey`';
  }
  if (detail.includes('processing_service_name')) {
    return "This server is of the `token` dialect: set `dialect: 'token'` and `serviceName`";
  }
  return undefined;
}

function authenticationHint({ scheme, detail, operation }: HintContext): string {
  const ignored = /not provided/i.test(detail);
  switch (scheme) {
    case undefined:
      return operation === 'auth.login'
        ? 'The login was refused before the password was looked at'
        : 'No credential was sent: set `apiKey` (ANTENNA_API_KEY) or `token` (ANTENNA_API_AUTH_TOKEN)';
    case 'Api-Key':
      return ignored
        ? 'The server ignored the API key, as servers of the `token` dialect do: set `token` to a superuser’s token ' +
            'instead of `apiKey` (client.probeDialect() tells the dialect)'
        : 'The API key is unknown or was revoked: generating a key revokes all earlier ones of its service';
    case 'Token':
      return 'The token is unknown, its user is inactive, or a logout deleted it: one logout ends it for every client';
    default:
      return 'Antenna reads `Authorization: Token …` and `Authorization: Api-Key …` only; other headers must be translated by a gateway';
  }
}

function permissionHint({ operation, scheme }: HintContext): string | undefined {
  if (TAKES_TASKS.has(operation)) {
    return scheme === 'Api-Key'
      ? "The key's service does not belong to the job's project: add it there, or leave this job to other workers"
      : 'With a user token only superusers may take tasks and post results, not even project owners';
  }
  if (STAFF_ONLY.test(operation)) {
    return 'This needs the token of a staff user or superuser; an API key cannot create services or keys';
  }
  if (operation === 'pipelines.register') {
    return scheme === 'Api-Key'
      ? "The key's service does not belong to this project"
      : 'Registering needs the role MLDataManager or ProjectManager in this project';
  }
  if (operation === 'auth.me') return 'An API key belongs to a service, not to a user';
  return undefined;
}

function notFoundHint({ operation, scheme, json }: HintContext): string | undefined {
  if (!json && operation === 'processingServices.generateKey') {
    return 'Servers of the `token` dialect have no API keys: log in and use the `token` option instead';
  }
  if (!json) return 'No such route: check that baseUrl points at an Antenna server';
  if (operation.startsWith('jobs.') || TAKES_TASKS.has(operation)) {
    return scheme === 'Api-Key'
      ? 'The job is gone, or its project is a draft: API keys do not see the jobs of draft projects'
      : 'The job is gone, or its project is a draft that this user does not see';
  }
  return undefined;
}

function serverHint(operation: string): string | undefined {
  switch (operation) {
    case 'pipelines.register':
      return (
        'Usual causes: an algorithm key that exists with another version, a name and version that exist under another ' +
        'key, a classifier without a category map, or (token dialect) several services of this name. Nothing was stored'
      );
    case 'processingServices.generateKey':
      return 'A service name of more than 46 characters breaks key generation: create the service under a shorter name';
    case 'processingServices.status':
      return 'The server answers 500 when the service does not exist';
    default:
      return undefined;
  }
}
