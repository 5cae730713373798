import { hostname as osHostname } from 'node:os';
import {
  CLIENT_INFO_FIELDS,
  MAX_EXTRA_KEYS,
  MAX_VALUE_CHARS,
  type ClientInfo,
} from '../contract/client-info.js';
import { holdsCredential } from '../http/redact.js';
import { VERSION } from '../version.js';

/** What the machine says about itself; an argument so that tests need no particular host. */
export interface HostFacts {
  readonly hostname: string;
  /** Such as `linux-x64 node-20.20.2`. */
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Facts of this process. */
export function hostFacts(): HostFacts {
  return {
    hostname: osHostname(),
    platform: `${process.platform}-${process.arch} node-${process.versions.node}`,
    env: process.env,
  };
}

/** The record to send, and what had to be changed to make it fit. */
export interface BuiltClientInfo {
  readonly info: ClientInfo;
  /** One sentence for each thing cut or left out. */
  readonly cut: readonly string[];
}

/** Fields that the server overwrites whatever is sent (contract §9). */
const SERVER_FIELDS = new Set(['ip', 'user_agent']);

/**
 * Builds `client_info` within the server's limits: at most 20 extra keys, 500 characters a value, nothing null. The server would
 * cut the same things itself, in silence and, of more than 20 keys, an arbitrary choice.
 *
 * Anyone can read it on public projects (trap T50), so a value that has the form of a key or a token is left out.
 * @param extras - the caller's own fields, known ones included (`software`, `version` …); they win over the machine's.
 */
export function buildClientInfo(extras: Readonly<Record<string, unknown>>, host: HostFacts): BuiltClientInfo {
  const cut: string[] = [];
  const info: ClientInfo = {
    hostname: host.hostname,
    software: 'antenna-sdk',
    version: VERSION,
    platform: host.platform,
  };
  const podName = podNameOf(host);
  if (podName !== undefined) info.pod_name = podName;
  let extraKeys = 0;
  for (const [key, value] of Object.entries(extras)) {
    const known = CLIENT_INFO_FIELDS.find((field) => field === key);
    if (value === undefined) continue;
    const json = toJson(value);
    if (value === null) cut.push(`${key} is null and was left out`);
    else if (json === undefined) cut.push(`${key} cannot be written as JSON and was left out`);
    else if (holdsCredential(json)) {
      cut.push(`${key} looks like a credential and was left out: client_info is publicly readable`);
    } else if (SERVER_FIELDS.has(key)) cut.push(`${key} is written by the server and was left out`);
    else if (known !== undefined) info[known] = typeof value === 'string' ? value : json;
    else if (extraKeys >= MAX_EXTRA_KEYS)
      cut.push(`${key} is over the limit of ${MAX_EXTRA_KEYS} extra fields and was left out`);
    else {
      info[key] = value;
      extraKeys += 1;
    }
  }
  for (const [key, value] of Object.entries(info)) {
    if (typeof value !== 'string' || value.length <= MAX_VALUE_CHARS) continue;
    // Half a surrogate pair at the end would be a character that no database takes.
    info[key] = value.slice(0, MAX_VALUE_CHARS).replace(/[\ud800-\udbff]$/, '');
    cut.push(`${key} was cut to ${MAX_VALUE_CHARS} characters`);
  }
  return { info, cut };
}

/** In a pod the hostname is the pod's name, unless the deployment says it better. */
function podNameOf(host: HostFacts): string | undefined {
  const named = host.env['POD_NAME'] ?? '';
  if (named !== '') return named;
  return host.env['KUBERNETES_SERVICE_HOST'] === undefined ? undefined : host.hostname;
}

/** JSON for the value; undefined for functions, symbols, circles, big integers, and numbers that JSON turns into null. */
function toJson(value: unknown): string | undefined {
  try {
    const json = JSON.stringify(value) as string | undefined;
    return json === 'null' ? undefined : json;
  } catch {
    return undefined;
  }
}
