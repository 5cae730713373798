// Loaded into the threads of an engine, beside the product's own code, by `--import`: a test that leaves a file in the folder of the query
// makes a thread die or hang. `start-onnx-session` is looked for once, while the thread starts, `run-onnx-session` from then on; the file
// holds `exit` or `block`, is taken by one thread, and `<name>.done` says that it has been.
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = new URL(import.meta.url).searchParams.get('folder') ?? '';
const thread = basename(process.argv[1] ?? '').replace(/\.[jt]s$/, '');

function meet(name) {
  const path = join(folder, name);
  if (!existsSync(path)) return;
  let fate;
  try {
    fate = readFileSync(path, 'utf8');
    renameSync(path, `${path}.done`);
  } catch {
    return; // Another thread of the kind has taken it.
  }
  if (fate === 'exit') process.exit(3);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

if (!isMainThread) {
  meet(`start-${thread}`);
  setInterval(() => {
    meet(`run-${thread}`);
  }, 5).unref();
}
