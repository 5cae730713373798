import { createHash } from 'node:crypto';
import { ALPHANUMERIC } from '../random.js';
import type { Random } from '../random.js';
import type { KeyRow, ServiceRow } from './rows.js';
import type { Store } from './store.js';

const PREFIX_LENGTH = 8;
const SECRET_LENGTH = 32;
/** The key's own name field holds 50 characters, four of which the server adds (contract §4.7). */
const SERVICE_NAME_LIMIT = 46;

function hashKey(key: string): string {
  return createHash('sha512').update(key).digest('hex');
}

/** A service's name is too long for its key's name field; the real server crashes with 500. */
export class ServiceNameTooLong extends Error {}

/**
 * Makes a key and revokes nothing. The plain text is returned once and kept nowhere.
 * @param value - a whole key to use instead of a random one.
 */
export function issueKey(
  store: Store,
  service: ServiceRow,
  random: Random,
  options: { value?: string; expiresAt?: number | null } = {},
): { row: KeyRow; value: string } {
  if (service.name.length > SERVICE_NAME_LIMIT) {
    throw new ServiceNameTooLong(
      `The name of service ${service.id} has ${service.name.length} characters; the server cannot make keys above ${SERVICE_NAME_LIMIT}.`,
    );
  }
  const value =
    options.value ??
    `${random.text(PREFIX_LENGTH, ALPHANUMERIC)}.${random.text(SECRET_LENGTH, ALPHANUMERIC)}`;
  const row = store.keys.add({
    id: store.keys.takeId(),
    serviceId: service.id,
    prefix: value.slice(0, PREFIX_LENGTH),
    hash: hashKey(value),
    createdAt: store.wallNow(),
    revoked: false,
    expiresAt: options.expiresAt ?? null,
    usageCount: 0,
    lastUsedAt: null,
  });
  return { row, value };
}

/** What `generate_key` does: revokes every earlier key of the service at once, then makes a new one (T10). */
export function rotateKey(store: Store, service: ServiceRow, random: Random): { row: KeyRow; value: string } {
  const issued = issueKey(store, service, random);
  for (const key of store.keys.filter(
    (other) => other.serviceId === service.id && other.id !== issued.row.id,
  )) {
    key.revoked = true;
  }
  return issued;
}

/** The key for this plain text, unless it is unknown, revoked, or expired on a server that enforces expiry. */
export function findUsableKey(store: Store, value: string, enforceExpiry: boolean): KeyRow | undefined {
  const prefix = value.slice(0, PREFIX_LENGTH);
  const hash = hashKey(value);
  const key = store.keys.find((row) => row.prefix === prefix && row.hash === hash);
  if (!key || key.revoked || !store.services.get(key.serviceId)) return undefined;
  if (enforceExpiry && key.expiresAt !== null && key.expiresAt <= store.wallNow()) return undefined;
  return key;
}

/** Prefix of the newest live key: shown to anyone who may see the service (contract §2.3). */
export function visiblePrefix(store: Store, serviceId: number): string | null {
  const live = store.keys.filter((key) => key.serviceId === serviceId && !key.revoked);
  return live.at(-1)?.prefix ?? null;
}
