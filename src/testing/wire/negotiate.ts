import { Refusal } from './refusal.js';
import { json } from './respond.js';

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
