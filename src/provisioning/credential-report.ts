import type { Scheme } from '../auth/credential.js';
import type { Dialect } from '../resources/core.js';

/**
 * What the server makes of a credential: it is `accepted`; `rejected`, on every request; `ignored`, so that the caller is nobody and
 * sees what everybody sees; or `missing`, because none is configured.
 */
export type CredentialVerdict = 'accepted' | 'rejected' | 'ignored' | 'missing';

/** Something that the credential cannot do, and what would have to change. */
export interface CredentialLimit {
  readonly what: 'anything' | 'take_tasks' | 'register_pipelines' | 'create_services_and_keys';
  readonly why: string;
  readonly change: string;
}

/** One project, and whether a worker with this credential gets its tasks. */
export interface ServedProject {
  readonly id: number;
  /** Undefined when the credential does not see the project. */
  readonly name: string | undefined;
  readonly serves: boolean;
  /** Why not; undefined when it does. */
  readonly why: string | undefined;
}

/** What a credential is good for. Plain and frozen; there is no secret in it, so print it as it is. */
export interface CredentialReport {
  readonly verdict: CredentialVerdict;
  /** Whether the server accepts it. */
  readonly valid: boolean;
  /** A service's API key, a user's token, or unknown: a gateway's credential that was not accepted. */
  readonly kind: 'key' | 'user' | 'unknown' | 'none';
  readonly scheme: Scheme | undefined;
  /** Kind of the server, not of the credential; undefined when it could not be told. */
  readonly dialect: Dialect | undefined;
  /** Whose token it is. */
  readonly user: { readonly id: number; readonly name: string } | undefined;
  /** Whose key it is; undefined when no visible service shows it as its newest. */
  readonly service: { readonly id: number; readonly name: string } | undefined;
  /** For a key the projects of its service; for a superuser those that it sees; for other users those that were asked for. */
  readonly projects: readonly ServedProject[];
  /** False when there were more projects than were looked at. */
  readonly complete: boolean;
  readonly cannot: readonly CredentialLimit[];
  /** What the server does not tell, a sentence each. */
  readonly unknown: readonly string[];
  /** All of it in one or two sentences. */
  readonly summary: string;
}

/** What was found out before the report is written. */
export type Findings = Omit<CredentialReport, 'valid' | 'cannot' | 'unknown' | 'summary'> & {
  /** The user may do everything, tasks included. */
  readonly superuser: boolean;
};

/** Draws the conclusions. */
export function reportOf({ superuser, ...found }: Findings): CredentialReport {
  const valid = found.verdict === 'accepted';
  const cannot = valid ? limitsOf(found, superuser) : [refusalOf(found)];
  return {
    ...found,
    valid,
    cannot,
    unknown: valid ? unknownsOf(found, superuser) : [],
    summary: summaryOf(found, cannot),
  };
}

const GET_A_KEY = 'use the API key of a service in the project: provision() makes one';
const PROVISIONER = 'use the token of a staff user or superuser for provisioning';

type Found = Omit<Findings, 'superuser'>;

/** Why nothing works. Of a key that is refused the server says the same whatever is wrong with it, and so does this. */
function refusalOf({ verdict, kind, scheme, dialect }: Found): CredentialLimit {
  const limit = (why: string, change: string): CredentialLimit => ({ what: 'anything', why, change });
  if (verdict === 'missing') {
    return limit(
      'no credential is configured',
      'set apiKey, token or tokenProvider (ANTENNA_API_KEY, ANTENNA_API_AUTH_TOKEN)',
    );
  }
  if (verdict === 'rejected') {
    switch (kind) {
      case 'key':
        return limit(
          'the server does not accept this key: it is unknown or was revoked, as every earlier key is when a new one is generated; the server does not say which',
          'use the newest key of the service; if it is lost, generate one with provision() and rotateKey: true',
        );
      case 'user':
        return limit(
          'the server does not accept this token: it is unknown, its user is inactive, or a logout deleted it',
          'log in again, or let loginToken do it',
        );
      default:
        return limit(
          'what answers at baseUrl does not accept this credential',
          'ask whoever runs the gateway',
        );
    }
  }
  if (kind === 'key' && dialect === 'token') {
    return limit(
      'servers of this kind have no API keys and ignore them: the caller is anonymous and sees what is public',
      'set token to a superuser’s token instead of apiKey',
    );
  }
  if (scheme === 'Bearer' || scheme === 'header') {
    return limit(
      'Antenna does not read this header: the caller is anonymous and sees what is public',
      'use an API key or a user token, or set baseUrl to the gateway that translates the header',
    );
  }
  return limit(
    'the server did not see the credential: the caller is anonymous and sees what is public',
    'look for a proxy on the way that drops the Authorization header',
  );
}

function limitsOf({ kind, dialect }: Found, superuser: boolean): CredentialLimit[] {
  if (kind === 'key') {
    return [
      {
        what: 'create_services_and_keys',
        why: 'an API key belongs to a service, not to a user',
        change: PROVISIONER,
      },
    ];
  }
  const limits: CredentialLimit[] = [];
  if (!superuser) {
    limits.push({
      what: 'take_tasks',
      why: 'with a user token only superusers get tasks, not even owners and managers of the project (jobs on a single image excepted)',
      change: dialect === 'token' ? 'use the token of a superuser' : GET_A_KEY,
    });
  }
  if (dialect === 'api-key') {
    limits.push({
      what: 'register_pipelines',
      why: 'servers with API keys take registrations from keys only',
      change: GET_A_KEY,
    });
  }
  return limits;
}

function unknownsOf({ kind, service, complete }: Found, superuser: boolean): string[] {
  if (kind === 'key') {
    if (service) return [];
    const where = complete ? 'no visible project' : 'none of the projects looked at';
    return [
      `Which service the key belongs to: in ${where} a service shows it as its newest key. It may belong to draft projects only, ` +
        'whose jobs no key gets, or a newer key may exist beside it',
    ];
  }
  return superuser
    ? []
    : ['Whether this user is staff, and may create services and keys: the server tells by refusing it'];
}

const WHO: Readonly<Record<CredentialReport['kind'], string>> = {
  key: 'The API key',
  user: 'The user token',
  unknown: 'The credential',
  none: 'No credential',
};

function summaryOf(found: Found, cannot: readonly CredentialLimit[]): string {
  const { verdict, kind, dialect, projects } = found;
  const server = dialect === undefined ? 'the server' : `this ${dialect} server`;
  if (verdict === 'missing') return 'No credential is configured';
  if (verdict !== 'accepted') {
    const [limit] = cannot;
    return `${WHO[kind]} is ${verdict} by ${server}: ${limit?.why ?? ''}. What to change: ${limit?.change ?? ''}`;
  }
  const served = projects.filter(({ serves }) => serves).map(({ id }) => id);
  const where =
    served.length === 0
      ? 'gets tasks of no project that was found'
      : `gets tasks of the projects ${served.join(', ')}`;
  return `${WHO[kind]} is accepted by ${server} and ${where}`;
}
