/**
 * The floors of `src`, lowest first: a file imports from its own room and from rooms below it, types included. A room is a folder; what
 * stands between `src/` and it is part of its name.
 */
export const FLOORS: readonly (readonly [room: string, holds: string])[] = [
  ['version.ts', 'the version of the package'],
  ['contract', 'the wire: schemas and types of what Antenna sends and takes'],
  ['errors', 'the error tree, and the checks of arguments that throw one of it'],
  ['time', 'the clock as an argument, deadlines, waiting'],
  ['system', 'what differs from one operating system to the next'],
  ['log', 'the logger, what may be logged, and how often'],
  ['auth', 'credentials and when a provider is asked for one'],
  ['http', 'the one path that every request takes'],
  ['cache', 'answers that are kept, by credential'],
  ['registration', 'what a registration should be, and what became of it'],
  ['resources', 'one file for each REST resource'],
  ['client', '`AntennaClient`: options, credential, and the resources put together'],
  ['token-providers', 'ready-made sources of tokens'],
  ['provisioning', 'service, key and registration in one go'],
  ['worker/handler', 'what a handler gets and gives, and how a task fails'],
  ['worker/executors', 'pipelines, and where their handlers run'],
  ['worker/policy', 'how much to take of what, and when again: pure functions'],
  ['worker/images', 'from a URL to bytes that are an image'],
  ['worker/task', 'what a task is, and which ones are in hand'],
  ['worker/observe', 'events, metrics, health, evidence, the status page'],
  ['worker/run', 'what the parts of one run share'],
  ['worker/results', 'from what a handler gave to what the server takes'],
  ['worker/stages', 'download and process: the path of a task in memory'],
  ['worker/outbox', 'from computed results to accepted ones'],
  ['worker/spool', 'results on disk until the server has them'],
  ['worker/runtime', 'the loops that wire it all, and the life of a run'],
  ['worker/worker.ts', '`AntennaWorker`'],
  ['bridge', 'push services as pipelines'],
  ['python', 'where the file for Python is'],
  ['index.ts', 'what `antenna-sdk` exports'],
  ['onnx', '`antenna-sdk/onnx`: a model file as a pipeline'],
  ['testing', '`antenna-sdk/testing`: the contract server'],
  ['cli', 'the `antenna` command'],
];

/** Rooms that may import less than the floors below them. */
const ALONE: Readonly<Record<string, readonly string[]>> = {
  // A contract server that shared code with the client would share its mistakes.
  testing: ['contract', 'time'],
};

/** Rooms that nothing but their own files, and those named, may import. */
const UNSEEN: Readonly<Record<string, readonly string[]>> = {
  cli: [],
  testing: ['cli'],
};

/** Files from `src/` to the files that they import. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** The room of a file, or undefined if it stands in none. */
export function roomOf(file: string): string | undefined {
  return FLOORS.map(([room]) => room).find((room) => file === room || file.startsWith(`${room}/`));
}

const floorOf = (room: string): number => FLOORS.findIndex(([name]) => name === room);

/** What is wrong, a sentence each, with where the thing belongs. */
export function problemsOf(imports: Imports): readonly string[] {
  const problems: string[] = [];
  for (const [file, imported] of imports) {
    const room = roomOf(file);
    if (room === undefined) {
      problems.push(
        `src/${file} stands in no room. Put it into one of ${FLOORS.map(([name]) => name).join(', ')}, or add its room to test/architecture/floors.ts`,
      );
      continue;
    }
    for (const other of imported) {
      const theirs = roomOf(other);
      if (theirs === undefined || theirs === room) continue;
      if (floorOf(theirs) > floorOf(room))
        problems.push(
          `src/${file} imports src/${other} from a higher floor (${theirs} stands on ${room}). What both need belongs into ${room} or below; what only ${theirs} can do is handed down as an argument, with its type declared in ${room}`,
        );
      else if (ALONE[room] !== undefined && !ALONE[room].includes(theirs))
        problems.push(
          `src/${file} imports src/${other}: ${room} shares ${ALONE[room].join(' and ') || 'nothing'} with the rest, and nothing else`,
        );
      else if (UNSEEN[theirs] !== undefined && !UNSEEN[theirs].includes(room))
        problems.push(
          `src/${file} imports src/${other}: nothing may import ${theirs}. What it needs belongs into ${room} or below`,
        );
    }
  }
  for (const circle of circlesOf(imports))
    problems.push(
      `A circle of imports: ${circle.map((file) => `src/${file}`).join(' -> ')}. Move what the first needs of the last into a file that both import`,
    );
  return problems;
}

/** Circles of imports, each once, as the files on the way back to the first. */
function circlesOf(imports: Imports): readonly (readonly string[])[] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) circles.push([...path.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const other of imports.get(file) ?? []) visit(other);
    path.pop();
    done.add(file);
  };
  for (const file of imports.keys()) visit(file);
  return circles;
}
