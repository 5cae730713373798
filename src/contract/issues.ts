import type { z } from 'zod';

/** One thing that is wrong, and where. */
export interface ShapeIssue {
  /** Path inside the value, such as `results.3.id`; empty for the value as a whole. */
  readonly path: string;
  readonly message: string;
}

/** zod's issues as ours; a union's are those of the branch that fits best, not "Invalid input". */
export function issuesOf(error: Pick<z.core.$ZodError, 'issues'>): ShapeIssue[] {
  return error.issues.flatMap((issue) => flattenIssue(issue, []));
}

function flattenIssue(issue: z.core.$ZodIssue, prefix: PropertyKey[]): ShapeIssue[] {
  const path = [...prefix, ...issue.path];
  // A union with words of its own says it better than any of its branches.
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input' && issue.errors.length > 0) {
    const [best = []] = [...issue.errors].sort((a, b) => a.length - b.length);
    return best.flatMap((inner) => flattenIssue(inner, path));
  }
  return [{ path: path.map(String).join('.'), message: issue.message }];
}
