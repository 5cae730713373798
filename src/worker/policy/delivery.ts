import type { Dialect } from '../../resources/core.js';

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
  const tokens = tokensOf(replySubject);
  const text = tokens?.[deliveredIndex(tokens)];
  return text !== undefined && /^[1-9]\d{0,3}$/.test(text) ? Number(text) : undefined;
}

/** Tasks of the job that had not been delivered to anybody when this one was: a hint like {@link deliveryNumber}. */
export function pendingTasks(replySubject: string): number | undefined {
  return numberAfterDelivered(tokensOf(replySubject), 4);
}

/**
 * Where a task stands in its job's stream, from 1, and how many tasks had not been delivered to anybody when it was. Hints like
 * {@link deliveryNumber}.
 */
export function streamPlace(
  replySubject: string,
): { readonly streamSequence: number; readonly undelivered: number } | undefined {
  const tokens = tokensOf(replySubject);
  const streamSequence = numberAfterDelivered(tokens, 1);
  const undelivered = numberAfterDelivered(tokens, 4);
  return streamSequence === undefined || undelivered === undefined
    ? undefined
    : { streamSequence, undelivered };
}

function numberAfterDelivered(tokens: readonly string[] | undefined, places: number): number | undefined {
  const text = tokens?.[deliveredIndex(tokens) + places];
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

// $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>, or
// $JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.… with a last token that means nothing.
function tokensOf(replySubject: string): readonly string[] | undefined {
  const tokens = replySubject.split('.');
  const isAck = tokens[0] === '$JS' && tokens[1] === 'ACK';
  return isAck && (tokens.length === 9 || tokens.length >= 11) ? tokens : undefined;
}

function deliveredIndex({ length }: readonly string[]): number {
  return length === 9 ? 4 : 6;
}
