import type { Symbols } from './symbols.js';

/** Lists without a documented order (README of the recordings). */
const UNORDERED = new Set([
  'pipelines',
  'processing_services',
  'projects',
  'algorithms',
  'project_pipeline_configs',
]);
/** Volatile fields where null against non-null is still significant. */
const NULLNESS = new Set(['started_at', 'finished_at', 'duration', 'last_seen', 'api_key_prefix']);

/** How to compare one answer. */
export interface Comparison {
  readonly symbols: Symbols;
  /** Volatile paths relative to the body, with `[*]` for any index. */
  readonly volatile: ReadonlySet<string>;
  /** Path of a list in random order, relative to the body. */
  readonly randomOrder: string | undefined;
}

/** Every difference between a recorded body and an actual one, as readable lines. */
export function compareBodies(recorded: unknown, actual: unknown, comparison: Comparison): string[] {
  const differences: string[] = [];
  compare(recorded, actual, '$', '', { ...comparison, differences });
  return differences;
}

interface Run extends Comparison {
  readonly differences: string[];
}

function compare(recorded: unknown, actual: unknown, path: string, key: string, run: Run): void {
  if (run.volatile.has(path.replace(/\[\d+\]/g, '[*]'))) {
    compareVolatile(recorded, actual, path, key, run);
  } else if (path === run.randomOrder) {
    compareRandomList(recorded, actual, path, run);
  } else if (Array.isArray(recorded) && Array.isArray(actual)) {
    compareLists(recorded, actual, path, key, run);
  } else if (isObject(recorded) && isObject(actual)) {
    compareObjects(recorded, actual, path, run);
  } else if (!sameScalar(recorded, actual, path, key, run)) {
    report(run, path, recorded, actual);
  }
}

function report(run: Run, path: string, recorded: unknown, actual: unknown): void {
  run.differences.push(`${path}: recorded ${brief(recorded)}, got ${brief(actual)}`);
}

function brief(value: unknown): string {
  return (JSON.stringify(value) as string | undefined)?.slice(0, 160) ?? 'nothing';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function compareVolatile(recorded: unknown, actual: unknown, path: string, key: string, run: Run): void {
  if (actual === undefined) {
    report(run, path, recorded, actual);
  } else if (key === 'user_permissions') {
    if (sorted(recorded) !== sorted(actual)) report(run, path, recorded, actual);
  } else if (key === 'reply_subject') {
    if (withoutTime(recorded) !== withoutTime(actual)) report(run, path, recorded, actual);
  } else if (isSymbol(recorded)) {
    if (!sameSymbol(recorded, actual, run.symbols)) report(run, path, recorded, actual);
  } else if (NULLNESS.has(key)) {
    if ((recorded === null) !== (actual === null)) report(run, path, recorded, actual);
  } else if (typeof recorded !== typeof actual) {
    report(run, path, recorded, actual);
  }
}

function sorted(value: unknown): string {
  return Array.isArray(value) ? JSON.stringify([...(value as unknown[])].sort()) : brief(value);
}

/** Everything in a reply subject is deterministic but its timestamp. */
function withoutTime(value: unknown): string {
  return String(value).replace(/\.\d{19}(?=\.\d+$)/, '.<time>');
}

function isSymbol(value: unknown): value is string {
  return typeof value === 'string' && /^\{[a-z_:]+\}$/.test(value);
}

/** A symbol seen for the first time in an answer is learnt from it. */
function sameSymbol(recorded: string, actual: unknown, symbols: Symbols): boolean {
  if (typeof actual !== 'string') return false;
  const name = recorded.slice(1, -1);
  const known = symbols.get(name);
  if (known === undefined) symbols.set(name, actual);
  return known === undefined || known === actual;
}

function compareRandomList(recorded: unknown, actual: unknown, path: string, run: Run): void {
  if (!Array.isArray(recorded) || !Array.isArray(actual) || recorded.length !== actual.length) {
    report(run, path, recorded, actual);
    return;
  }
  const shape = (item: unknown): string => (isObject(item) ? Object.keys(item).join() : typeof item);
  recorded.forEach((item, index) => {
    if (shape(item) !== shape(actual[index])) report(run, `${path}[${index}]`, item, actual[index]);
  });
}

function compareLists(recorded: unknown[], actual: unknown[], path: string, key: string, run: Run): void {
  if (recorded.length !== actual.length) {
    run.differences.push(`${path}: recorded ${recorded.length} items, got ${actual.length}`);
    return;
  }
  const order = UNORDERED.has(key) ? byId : (list: unknown[]): unknown[] => list;
  const left = order(recorded);
  const right = order(actual);
  left.forEach((item, index) => {
    compare(item, right[index], `${path}[${index}]`, key, run);
  });
}

function byId(list: unknown[]): unknown[] {
  const rank = (item: unknown): number => (isObject(item) ? Number(item.id) : Number(item));
  return Number.isNaN(rank(list[0])) ? list : [...list].sort((a, b) => rank(a) - rank(b));
}

function compareObjects(
  recorded: Record<string, unknown>,
  actual: Record<string, unknown>,
  path: string,
  run: Run,
): void {
  if (Object.keys(recorded).join() !== Object.keys(actual).join()) {
    run.differences.push(
      `${path}: recorded keys ${Object.keys(recorded).join()}, got ${Object.keys(actual).join()}`,
    );
  }
  for (const [key, value] of Object.entries(recorded)) {
    if (key === 'id' && typeof value === 'number' && typeof recorded.details === 'string') {
      const kind = /([a-z_]+)\/\d+\/$/.exec(recorded.details)?.[1] ?? 'row';
      if (!run.symbols.sameId(kind, value, Number(actual.id))) report(run, `${path}.id`, value, actual.id);
      continue;
    }
    compare(value, actual[key], `${path}.${key}`, key, run);
  }
}

/** `0` and `0.0` are one number in JavaScript, on both sides: JSON.stringify cannot print the second. */
function sameScalar(recorded: unknown, actual: unknown, path: string, key: string, run: Run): boolean {
  if (recorded === actual) return true;
  if (isSymbol(recorded)) return sameSymbol(recorded, actual, run.symbols);
  // A link between a project and a pipeline has no `details`; its id is compared as such.
  if (path.includes('project_pipeline_configs') && key === 'id') {
    return run.symbols.sameId('config', Number(recorded), Number(actual));
  }
  if (typeof recorded !== 'string' || typeof actual !== 'string') return false;
  return run.symbols.rewritePath(run.symbols.fill(recorded)) === actual;
}
