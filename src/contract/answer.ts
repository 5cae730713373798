import { z } from 'zod';
import { isEssential } from './common.js';
import { issuesOf, type ShapeIssue } from './issues.js';

/**
 * Something in an answer that could not be used: an item of a list, or a field that may be missing. The rest of the answer was used
 * without it.
 */
export class LeftOut {
  /** Where it stood in the answer as it came, such as `results.3`. */
  readonly path: string;
  /** What is wrong with it, such as `id: Invalid input: expected number, received string`. */
  readonly problem: string;
  /** Id of the nearest item that it belongs to, as text; undefined if there is none that can be read. */
  readonly id: string | undefined;
  // An item may hold what must not be printed, such as the signed address of an image.
  readonly #item: unknown;

  constructor(facts: { path: string; problem: string; id: string | undefined; item: unknown }) {
    this.path = facts.path;
    this.problem = facts.problem;
    this.id = facts.id;
    this.#item = facts.item;
  }

  /** The thing itself, as it came. Not part of what is printed or written as JSON. */
  get item(): unknown {
    return this.#item;
  }
}

/**
 * An answer that says what was left out of it. `leftOut` is there only if something was, and is not enumerable: a copy, JSON and
 * `Object.keys` show the answer alone.
 */
export type WithLeftOut<Value> = Value & { readonly leftOut?: readonly LeftOut[] };

/** What {@link readAnswer} made of a body: a value, or the first thing in it that nothing can be done without. */
export type Reading<Value> =
  | {
      readonly ok: true;
      readonly value: Value;
      readonly leftOut: readonly LeftOut[];
      /** Why, with whole paths. */
      readonly issues: readonly ShapeIssue[];
    }
  | { readonly ok: false; readonly issue: ShapeIssue };

const NOTHING: readonly LeftOut[] = [];

/**
 * Reads an answer item by item: one task without its image once cost a job all 24 that were reserved with it, again with every
 * delivery. An item of a list that does not fit is left out, and so is a field that may be missing; what is required of the answer
 * itself, such as the list, is damage.
 */
export function readAnswer<Value>(schema: z.ZodType<Value>, body: unknown): Reading<Value> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { ok: true, value: parsed.data, leftOut: NOTHING, issues: [] };
  const cuts = new Map<string, LeftOut>();
  const tree: CutTree = new Map();
  for (const issue of parsed.error.issues) {
    const depth = cutDepth(schema, issue.path);
    if (depth === 0) return { ok: false, issue: firstOf(parsed.error) };
    const path = issue.path.slice(0, depth);
    const name = path.map(String).join('.');
    // The first thing that is wrong with an item says enough.
    if (!cuts.has(name)) cuts.set(name, leftOutAt(body, path, issue));
    mark(tree, path);
  }
  const rest = schema.safeParse(without(body, tree));
  if (!rest.success) return { ok: false, issue: firstOf(rest.error) };
  const leftOut = [...cuts.values()].filter(({ path }) => !isInside(path, cuts));
  return { ok: true, value: noteLeftOut(rest.data, leftOut), leftOut, issues: issuesOf(parsed.error) };
}

/** What was left out of an answer; empty for one that was used as it came. */
export function leftOutOf(answer: unknown): readonly LeftOut[] {
  const noted = typeof answer === 'object' && answer !== null && (answer as WithLeftOut<object>).leftOut;
  return Array.isArray(noted) ? (noted as readonly LeftOut[]) : NOTHING;
}

/** Notes on an answer what was left out of it. @returns the same object. */
export function noteLeftOut<Value>(answer: Value, leftOut: readonly LeftOut[]): WithLeftOut<Value> {
  if (leftOut.length > 0 && typeof answer === 'object' && answer !== null)
    Object.defineProperty(answer, 'leftOut', { value: Object.freeze([...leftOut]), enumerable: false });
  return answer as WithLeftOut<Value>;
}

/** True if something around it is left out too. */
function isInside(path: string, cuts: ReadonlyMap<string, LeftOut>): boolean {
  for (let end = path.lastIndexOf('.'); end > 0; end = path.lastIndexOf('.', end - 1))
    if (cuts.has(path.slice(0, end))) return true;
  return false;
}

/** Members to leave out: `true` for a whole one, else what to leave out inside of it. */
type CutTree = Map<PropertyKey, CutTree | true>;

function mark(tree: CutTree, path: readonly PropertyKey[]): void {
  let at = tree;
  for (const [index, key] of path.entries()) {
    const below = at.get(key) ?? (new Map() as CutTree);
    if (below === true) return;
    at.set(key, index === path.length - 1 || below);
    at = below;
  }
}

/** A copy without what is marked; what is not on the way there is shared. */
function without(value: unknown, tree: CutTree): unknown {
  const inside = (member: unknown, key: PropertyKey): unknown => {
    const below = tree.get(key);
    return below instanceof Map ? without(member, below) : member;
  };
  if (Array.isArray(value))
    return value.flatMap((member: unknown, index) =>
      tree.get(index) === true ? [] : [inside(member, index)],
    );
  const kept = Object.entries(value as object).filter(([name]) => tree.get(name) !== true);
  return Object.fromEntries(kept.map(([name, member]) => [name, inside(member, name)]));
}

/** How much of the path leads to the innermost thing that the answer can do without; 0 if there is none. */
function cutDepth(schema: z.core.$ZodType, path: readonly PropertyKey[]): number {
  let at = bare(schema);
  let depth = 0;
  for (const [index, key] of path.entries()) {
    if (at instanceof z.ZodArray) {
      depth = index + 1;
      at = bare(at.element);
    } else if (at instanceof z.ZodObject) {
      const field = (at.shape as Readonly<Record<PropertyKey, z.core.$ZodType | undefined>>)[key];
      if (field === undefined) return depth;
      if (mayBeMissing(field) && !isEssential(field)) depth = index + 1;
      at = bare(field);
    } else return depth;
  }
  return depth;
}

function mayBeMissing(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault;
}

function bare(schema: z.core.$ZodType): z.core.$ZodType {
  let at = schema;
  while (at instanceof z.ZodOptional || at instanceof z.ZodNullable || at instanceof z.ZodDefault)
    at = at.unwrap();
  return at;
}

function leftOutAt(body: unknown, path: readonly PropertyKey[], issue: z.core.$ZodIssue): LeftOut {
  let at = body;
  let id = idOf(body);
  for (const key of path) {
    at = (at as Readonly<Record<PropertyKey, unknown>>)[key];
    id = idOf(at) ?? id;
  }
  const rest = issue.path.slice(path.length).map(String).join('.');
  const { message } = firstOf({ issues: [issue] });
  const problem = rest === '' ? message : `${rest}: ${message}`;
  return new LeftOut({ path: path.map(String).join('.'), problem, id, item: at });
}

/** An id that is fit to be printed: whatever else stands in its place may be anything. */
function idOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { id } = value as { readonly id?: unknown };
  return (typeof id === 'number' || typeof id === 'string') && /^[\w.-]{1,64}$/.test(String(id))
    ? String(id)
    : undefined;
}

function firstOf(error: Pick<z.core.$ZodError, 'issues'>): ShapeIssue {
  const [first] = issuesOf(error);
  return first ?? { path: '', message: 'unknown' };
}
