/** Marks our errors across copies of the package: the ESM and the CJS build are two, and so are two versions. */
const BRAND: unique symbol = Symbol.for('antenna-sdk.error') as never;

/** Whether the server may have got the request: only a `no` makes it safe to send again what must not happen twice. */
export type Delivered = 'no' | 'unknown';

/** Options that every error takes. */
export interface AntennaErrorOptions {
  readonly message: string;
  readonly code: string;
  readonly cause?: unknown;
}

/**
 * The root of every error that the SDK throws on purpose.
 *
 * `instanceof` holds across the package's ESM and CJS copies: it compares a brand and class names, not constructors.
 */
export class AntennaError extends Error {
  /** The class's name, spelt out: a minifier renames constructors, and logs show `error.name`. */
  static readonly className: string = 'AntennaError';
  /** Stable and meant for programs, such as `"timeout"` or `"rate_limited"`. */
  readonly code: string;

  constructor(options: AntennaErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    // Not enumerable, as on the built-in errors.
    Object.defineProperty(this, 'name', { value: new.target.className, configurable: true, writable: true });
    Object.defineProperty(this, BRAND, { value: lineage(new.target) });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A user's subclass has no name of its own here: for it the ordinary rule is the right one.
    if (!Object.hasOwn(this, 'className')) return Function.prototype[Symbol.hasInstance].call(this, value);
    if (typeof value !== 'object' || value === null) return false;
    const brand = (value as { [BRAND]?: unknown })[BRAND];
    return Array.isArray(brand) && brand.includes(this.className);
  }
}

function lineage(constructor: unknown): string[] {
  const names: string[] = [];
  let current: unknown = constructor;
  while (typeof current === 'function' && 'className' in current) {
    if (Object.hasOwn(current, 'className')) names.push(String(current.className));
    current = Object.getPrototypeOf(current);
  }
  return names;
}

/** Where in the conversation with the server an error happened. */
export interface RequestContext {
  readonly method: string;
  /** Path below the base URL, without query. */
  readonly path: string;
  /** The request's id: the server's `X-Request-Id` if it sent one, else the one we sent. */
  readonly requestId: string;
  /** How often the request was sent or tried, this time included. */
  readonly attempts: number;
}
