/** What the command ends with. Documented in `antenna --help` and in `docs/cli.md`; scripts go by them, so they stay. */
export const EXIT = {
  /** Done, drained, or stopped gracefully. */
  ok: 0,
  /** Looked or tried, and something is wrong: a failed check, a refused registration, a worker that could not work. */
  failed: 1,
  /** Wrong flags, arguments or configuration; nothing was sent. */
  usage: 2,
  /** The server cannot be reached, or what answers is no Antenna. */
  unreachable: 3,
  /** The server does not accept the credential, or does not let it do this. */
  refused: 4,
} as const;

/** By the errors' own `code`, so that `--help` need not load the library. */
const BY_CODE: Readonly<Record<string, number>> = {
  config: EXIT.usage,
  connection: EXIT.unreachable,
  timeout: EXIT.unreachable,
  origin_gate: EXIT.unreachable,
  status_unreachable: EXIT.unreachable,
  status_unreadable: EXIT.unreachable,
  credential: EXIT.refused,
  provisioning_credential: EXIT.refused,
  provisioning_credential_refused: EXIT.refused,
  provisioning_not_staff: EXIT.refused,
  provisioning_unavailable: EXIT.unreachable,
};

/** Which code an error ends the command with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  const { code, status } = error as { readonly code?: unknown; readonly status?: unknown };
  if (status === 401 || status === 403) return EXIT.refused;
  if (typeof code === 'string' && code.startsWith('contract_')) return EXIT.unreachable;
  return BY_CODE[String(code)] ?? EXIT.failed;
}

/** Something is wrong with what the user gave; the message says what to give instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}
