/** What came of one thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `fail` would stop a worker; `warn` would not; `skip` was not looked at. */
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  readonly detail: string;
  /** What to do about it. */
  readonly fix?: string;
  /** Ids that the next command may need. */
  readonly projects?: readonly number[];
  /** For the exit code: which kind of failure it is. */
  readonly error?: unknown;
}

export const ok = (name: string, detail: string): Check => ({ name, status: 'ok', detail });
export const skip = (name: string, detail: string): Check => ({ name, status: 'skip', detail });
export const warn = (name: string, detail: string, fix: string): Check => ({
  name,
  status: 'warn',
  detail,
  fix,
});
export const fail = (name: string, detail: string, fix: string, error?: unknown): Check => ({
  name,
  status: 'fail',
  detail,
  fix,
  ...(error === undefined ? {} : { error }),
});

/** The system's code of an error, wherever a library has put it. */
export function codeOf(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { causeCode, code } = at as { readonly causeCode?: unknown; readonly code?: unknown };
    const found = causeCode ?? code;
    if (typeof found === 'string' && /^[A-Z_0-9]+$/.test(found)) return found;
  }
  return error instanceof Error ? error.name : 'failed';
}
