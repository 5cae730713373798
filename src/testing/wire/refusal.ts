import type { ResponseRecord } from '../messages.js';
import { json, serverErrorPage } from './respond.js';

/** Thrown anywhere below a route to end the request with this answer. Nothing the request wrote may survive it. */
export class Refusal extends Error {
  readonly response: ResponseRecord;

  constructor(response: ResponseRecord) {
    super(`Refused with ${response.status}`);
    this.response = response;
  }
}

export function badRequest(body: unknown): Refusal {
  return new Refusal(json(400, body));
}

/** A 400 about fields: `{"batch_size": ["This field is required."]}`. */
export function fieldErrors(errors: Readonly<Record<string, unknown>>): Refusal {
  return badRequest(errors);
}

/** 401; the header is always the single word `Token`, also for key failures (T8). */
export function unauthenticated(detail: string): Refusal {
  return new Refusal(json(401, { detail }, { 'www-authenticate': 'Token' }));
}

export function credentialsMissing(): Refusal {
  return unauthenticated('Authentication credentials were not provided.');
}

export function forbidden(detail = 'You do not have permission to perform this action.'): Refusal {
  return new Refusal(json(403, { detail }));
}

export function notFound(): Refusal {
  return new Refusal(json(404, { detail: 'Not found.' }));
}

/** An unhandled exception of the real server: HTML, so that the client cannot see the reason. */
export function crash(): Refusal {
  return new Refusal(serverErrorPage());
}

export type Representation = 'json' | 'html';

const ACCEPTED: readonly { type: string; representation: Representation }[] = [
  { type: '*/*', representation: 'json' },
  { type: 'application/*', representation: 'json' },
  { type: 'application/json', representation: 'json' },
  { type: 'text/html', representation: 'html' },
  { type: 'text/*', representation: 'html' },
];

/**
 * Chooses the representation (contract §1.3): exact types before wildcards, as the server ranks them.
 * @throws Refusal 406 when nothing acceptable is left.
 */
export function negotiate(accept: string | undefined): Representation {
  const wanted = (accept ?? '*/*')
    .split(',')
    .map((item) => item.split(';', 1)[0]?.trim().toLowerCase() ?? '');
  const bySpecificity = [...wanted].sort((a, b) => specificity(b) - specificity(a));
  for (const type of bySpecificity) {
    const match = ACCEPTED.find((candidate) => candidate.type === type);
    if (match) return match.representation;
  }
  throw new Refusal(json(406, { detail: 'Could not satisfy the request Accept header.' }));
}

function specificity(type: string): number {
  if (type === '*/*') return 0;
  return type.endsWith('/*') ? 1 : 2;
}
