import { pino } from 'pino';

/** One log call: an object of fields, then a sentence. The shape of pino, bunyan and most structured loggers. */
export type LogMethod = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** Any pino-compatible logger. */
export interface Logger {
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
}

/**
 * Fields that may reach a log. An allow-list: with a deny-list, the first new header or field that carries a secret leaks.
 */
const ALLOWED = new Set([
  ...[
    'operation',
    'method',
    'path',
    'status',
    'attempt',
    'attempts',
    'requestId',
    'durationMs',
    'delayMs',
    'retryAfterMs',
  ],
  ...['code', 'phase', 'delivered', 'reason', 'causeCode', 'error', 'bytes', 'dialect', 'scheme'],
  ...[
    'job',
    'jobs',
    'task',
    'tasks',
    'image',
    'pipeline',
    'pipelines',
    'project',
    'state',
    'count',
    'batchSize',
    'signal',
  ],
  ...[
    'projects',
    'processed',
    'failed',
    'posted',
    'abandoned',
    'issues',
    'cut',
    'timeoutMs',
    'leaseMs',
    'late',
  ],
]);

/** Longest text that one field may bring into a log line. */
const MAX_TEXT_CHARS = 500;

/** Keeps allowed fields, in a form that cannot carry more than it says: scalars, and arrays of scalars. */
export function safeFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (!ALLOWED.has(name) || value === undefined) continue;
    kept[name] = safeValue(value);
  }
  return kept;
}

function safeValue(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, MAX_TEXT_CHARS);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (value instanceof Error) return `${value.name}: ${value.message.slice(0, MAX_TEXT_CHARS)}`;
  if (Array.isArray(value)) return value.slice(0, 50).map(safeValue);
  return '[object]';
}

/** Wraps a logger so that only allowed fields pass, and so that a logger that throws cannot stop a worker. */
export function guardLogger(logger: Logger): Logger {
  const guarded =
    (level: keyof Logger): LogMethod =>
    (fields, message) => {
      try {
        logger[level](safeFields(fields), message);
      } catch {
        // A full disk under a log file must not cost a task. There is nowhere left to report it.
      }
    };
  return { debug: guarded('debug'), info: guarded('info'), warn: guarded('warn'), error: guarded('error') };
}

/** The default logger: pino at `warn`, or at the level in `ANTENNA_LOG_LEVEL`, as JSON lines on standard error, so that a program's own output stays clean. */
export function defaultLogger(env: NodeJS.ProcessEnv = process.env): Logger {
  const wanted = env['ANTENNA_LOG_LEVEL'] ?? 'warn';
  const level = Object.hasOwn(pino.levels.values, wanted) || wanted === 'silent' ? wanted : 'warn';
  return pino({ name: 'antenna-sdk', level }, pino.destination({ dest: 2, sync: true }));
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
