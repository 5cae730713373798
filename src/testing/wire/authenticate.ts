import type { Dialect } from '../options.js';
import { findUsableKey } from '../state/keys.js';
import type { KeyRow, ServiceRow, UserRow } from '../state/rows.js';
import type { Store } from '../state/store.js';
import { unauthenticated } from './refusal.js';

/** Who is calling. A key's caller is no user at all: it is an anonymous one plus "this processing service" (§2.3). */
export type Caller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'user'; readonly user: UserRow }
  | { readonly kind: 'service'; readonly service: ServiceRow; readonly key: KeyRow };

const ANONYMOUS: Caller = { kind: 'anonymous' };

/**
 * Reads the `Authorization` header. A scheme the dialect does not know is no error: the caller is anonymous (T7).
 * @throws Refusal 401 for a known scheme with a bad value, on every endpoint (contract §2.5).
 */
export function authenticate(
  authorization: string | undefined,
  store: Store,
  settings: { readonly dialect: Dialect; readonly enforceKeyExpiry: boolean },
): Caller {
  if (!authorization) return ANONYMOUS;
  const scheme = authorization.trimStart().split(/\s/, 1)[0]?.toLowerCase() ?? '';
  if (scheme === 'token') return byToken(authorization, store);
  if (scheme === 'api-key' && settings.dialect === 'api-key') return byKey(authorization, store, settings);
  return ANONYMOUS;
}

function byToken(authorization: string, store: Store): Caller {
  const parts = authorization.split(/\s+/).filter((part) => part !== '');
  if (parts.length === 1) throw unauthenticated('Invalid token header. No credentials provided.');
  if (parts.length > 2)
    throw unauthenticated('Invalid token header. Token string should not contain spaces.');
  const user = store.userByToken(parts[1] ?? '');
  if (!user) throw unauthenticated('Invalid token.');
  if (!user.active) throw unauthenticated('User inactive or deleted.');
  return { kind: 'user', user };
}

function byKey(authorization: string, store: Store, settings: { enforceKeyExpiry: boolean }): Caller {
  // One space exactly: the server splits once, so a second space becomes part of the key and fails (contract §2.1).
  const space = authorization.indexOf(' ');
  if (space === -1 || authorization.slice(space + 1) === '') return ANONYMOUS;
  const key = findUsableKey(store, authorization.slice(space + 1), settings.enforceKeyExpiry);
  const service = store.services.get(key?.serviceId);
  if (!key || !service) throw unauthenticated('Invalid API key.');
  key.usageCount++;
  key.lastUsedAt = store.wallNow();
  return { kind: 'service', service, key };
}
