// The licences of what we depend on, from package-lock.json: `npm run check:licences`. What a user installs must have one that asks for no more
// than to be named; what only we install is listed.
import { pathToFileURL } from 'node:url';
import { readHere } from './manifest.js';

/** A package as the lock file has it. */
interface Locked {
  readonly license?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export type Lock = Readonly<Record<string, Locked>>;

/** Licences that ask a user of ours for nothing but to keep their text. */
const ALLOWED = new Set([
  ...['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'CC0-1.0'],
  ...['ISC', 'MIT', 'MIT-0', 'Python-2.0', 'Unlicense', 'Zlib'],
]);

/** Whether an SPDX expression can be kept by keeping allowed licences. One that mixes AND with OR is for a person to read. */
export function isAllowed(expression: string | undefined): boolean {
  const terms = (expression ?? '').replace(/^\((.*)\)$/, '$1');
  const every = terms.split(' AND ');
  const any = terms.split(' OR ');
  if (every.length > 1 && any.length > 1) return false;
  return any.length > 1 ? any.some((term) => ALLOWED.has(term)) : every.every((term) => ALLOWED.has(term));
}

/** Where Node would find `name` from the package at `from`: in its own node_modules, or in one further out. */
function resolve(lock: Lock, from: string, name: string): string | undefined {
  for (let place = from; ; place = place.replace(/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$/, '')) {
    const path = `${place}${place && '/'}node_modules/${name}`;
    if (lock[path]) return path;
    if (place === '') return undefined;
  }
}

/** The packages that `names` bring with them. What is optional counts: it is installed on the machine that it fits. */
function closureOf(lock: Lock, names: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (from: string, wanted: readonly string[]): void => {
    for (const name of wanted) {
      const path = resolve(lock, from, name);
      if (path === undefined || found.has(path)) continue;
      found.add(path);
      const { dependencies, optionalDependencies } = lock[path] ?? {};
      visit(path, Object.keys({ ...dependencies, ...optionalDependencies }));
    }
  };
  visit('', names);
  return found;
}

/** The packages of the lock file by who installs them. */
export function groupsOf(lock: Lock): Record<'runtime' | 'peers' | 'development', string[]> {
  const { dependencies, optionalDependencies, peerDependencies } = lock[''] ?? {};
  const runtime = closureOf(lock, Object.keys({ ...dependencies, ...optionalDependencies }));
  const peers = closureOf(lock, Object.keys(peerDependencies ?? {}));
  const rest = Object.keys(lock).filter((path) => path !== '' && !lock[path]?.link && !runtime.has(path));
  return {
    runtime: [...runtime],
    peers: rest.filter((path) => peers.has(path)),
    development: rest.filter((path) => !peers.has(path)),
  };
}

/** What a user would install that they may not want to. */
export function problemsOf(lock: Lock): string[] {
  return groupsOf(lock)
    .runtime.filter((path) => !isAllowed(lock[path]?.license))
    .map(
      (path) =>
        `${path}: ${lock[path]?.license ?? 'no licence'}. Whoever installs antenna-sdk gets it: replace it, or read its licence and add that to ALLOWED in scripts/check-licences.ts`,
    );
}

/** How many packages there are of each licence, the most first. */
export function countsOf(lock: Lock, paths: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const licence = lock[path]?.license ?? 'none given';
    counts.set(licence, (counts.get(licence) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
  return sorted.map(([licence, count]) => `${licence} ${count}`).join(', ');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { packages } = JSON.parse(readHere('package-lock.json')) as { packages: Lock };
  const groups = groupsOf(packages);
  console.log(`installed by every user: ${countsOf(packages, groups.runtime)}`);
  console.log(`by who chooses an optional peer: ${countsOf(packages, groups.peers)}`);
  console.log(`for development alone: ${countsOf(packages, groups.development)}`);
  const problems = problemsOf(packages);
  for (const problem of problems) console.error(`- ${problem}.`);
  if (problems.length > 0) process.exitCode = 1;
}
