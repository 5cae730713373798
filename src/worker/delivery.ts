import type { Dialect } from '../resources/core.js';

/** What a server is known to do with its tasks; it does not tell (contract §6.1). */
export interface DeliveryRules {
  /** Visibility timeout of a task, from its delivery. */
  readonly leaseMs: number;
  /** How often a task is delivered at most. */
  readonly maxDeliveries: number;
}

/** Fixed in the servers' settings: 300 s and 2 in the `token` dialect, 30 s and 5 in `api-key` (contract §6.1). */
export const DELIVERY_RULES: Readonly<Record<Dialect, DeliveryRules>> = {
  token: { leaseMs: 300_000, maxDeliveries: 2 },
  'api-key': { leaseMs: 30_000, maxDeliveries: 5 },
};

/**
 * The number of a delivery, 1 for the first, out of a JetStream acknowledgement subject of 9 or 12 tokens. A hint: the subject is
 * opaque by contract, so anything unexpected is undefined and nothing may depend on the answer.
 */
export function deliveryNumber(replySubject: string): number | undefined {
  const tokens = replySubject.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK') return undefined;
  // $JS.ACK.<stream>.<consumer>.<delivered>.… or, with domain and account, $JS.ACK.<domain>.<account>.<stream>.<consumer>.…
  const index = tokens.length === 9 ? 4 : tokens.length >= 11 ? 6 : undefined;
  const text = index === undefined ? undefined : tokens[index];
  return text !== undefined && /^[1-9]\d{0,3}$/.test(text) ? Number(text) : undefined;
}
