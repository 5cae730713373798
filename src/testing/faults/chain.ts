import { assertKind, assertOptions, type Kind } from '../check.js';
import type { RequestRecord, Exchange, Reply } from '../messages.js';
import type { Random } from '../random.js';
import { matches, ROUTES } from './scope.js';
import type { Scope } from './scope.js';

/** What a rule does with a request it hits: answer itself, or let `next` answer and change that. */
export type Intervention = (request: RequestRecord, next: () => Promise<Reply>) => Promise<Reply>;

/** A rule in force. */
export interface FaultHandle {
  /** How many requests it has hit. */
  readonly hits: number;
  /** Ends it; harmless when it has ended. */
  remove(): void;
}

interface Rule {
  readonly scope: Scope;
  readonly intervene: Intervention;
  seen: number;
  hits: number;
}

const SCOPE: { readonly [Name in keyof Required<Scope>]: readonly Kind[] } = {
  ...{ route: ['string'], path: ['string', 'object'], method: ['string'], where: ['function'] },
  ...{ probability: ['number'], after: ['number'], times: ['number'] },
};

/** Rules around an exchange, the newest outermost. */
export class FaultChain {
  readonly #random: Random;
  #rules: Rule[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  add(scope: Scope, intervene: Intervention): FaultHandle {
    assertOptions('a scope', scope, SCOPE);
    if (scope.route !== undefined && !Object.hasOwn(ROUTES, scope.route))
      throw new TypeError(`route must be one of ${Object.keys(ROUTES).join(', ')}.`);
    assertKind('intervene', intervene, 'function');
    const rule: Rule = { scope, intervene, seen: 0, hits: 0 };
    this.#rules.push(rule);
    return {
      get hits() {
        return rule.hits;
      },
      remove: () => {
        this.#rules = this.#rules.filter((other) => other !== rule);
      },
    };
  }

  clear(): void {
    this.#rules = [];
  }

  /** Sends a request through the rules that hit it, then to `exchange`. */
  run(request: RequestRecord, exchange: Exchange): Promise<Reply> {
    const hit = this.#rules.filter((rule) => this.#hits(rule, request));
    return hit.reduce<() => Promise<Reply>>(
      (next, rule) => () => rule.intervene(request, next),
      () => exchange(request),
    )();
  }

  #hits(rule: Rule, request: RequestRecord): boolean {
    const { scope } = rule;
    if (rule.hits >= (scope.times ?? Infinity) || !matches(scope, request)) return false;
    rule.seen++;
    if (rule.seen <= (scope.after ?? 0)) return false;
    if (scope.probability !== undefined && this.#random.next() >= scope.probability) return false;
    rule.hits++;
    return true;
  }
}
