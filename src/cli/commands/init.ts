import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXIT, UsageError } from '../exit-codes.js';
import type { Frame, Run } from '../frame.js';
import { starterFiles } from '../init/files.js';
import { KINDS, type Kind, type Project, type StarterFile } from '../init/project.js';
import { sdkRange } from '../init/sdk-range.js';
import { shellWord } from '../invocation.js';
import { askChoice, askText } from '../prompt.js';

const SLUG = /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/;

/** `antenna init`. */
export const run: Run = async (frame) => {
  const { out, options, cwd } = frame;
  const folder = resolve(
    cwd,
    frame.args[0] ?? (frame.interactive ? await askText('Folder', 'my-worker') : '.'),
  );
  const project = await projectOf(frame, folder);
  const files = starterFiles(project);
  write(folder, files, options['force'] === true);
  const place = relative(cwd, folder);
  out.document({
    ok: true,
    folder,
    kind: project.kind,
    pipeline: project.slug,
    files: files.map(({ path }) => path),
  });
  out.line(
    `${out.paint.green('✓')} wrote ${files.length} files into ${place === '' ? 'this folder' : place}:`,
  );
  for (const { path } of files) out.line(`    ${path}`);
  tellNext(frame, place, project.kind);
  return EXIT.ok;
};

async function projectOf({ options, interactive }: Frame, folder: string): Promise<Project> {
  const name = nameOf(basename(folder));
  const kind = options['kind'] ?? (interactive ? await askKind() : undefined);
  if (!isKind(kind))
    throw new UsageError(
      `${kind === undefined ? 'Say what to write' : `${JSON.stringify(kind)} is no kind`}: --kind ${Object.keys(KINDS).join(', ')}`,
    );
  const slug = options['slug'] ?? (interactive ? await askText('Slug of the pipeline', name) : name);
  if (typeof slug !== 'string' || !SLUG.test(slug))
    throw new UsageError(
      '--slug must be of lower-case letters, digits, hyphens and underscores, such as my-moths',
    );
  const { VERSION } = await import('../../index.js');
  // The bundle is in the package's dist, in a file of its own or a shared one.
  const home = resolve(dirname(fileURLToPath(import.meta.url)), '..');
  return { kind, name, slug, sdk: sdkRange(home, VERSION) };
}

const askKind = (): Promise<Kind> =>
  askChoice(
    'What is the model?',
    (Object.keys(KINDS) as Kind[]).map((value) => ({ value, label: `${value}: ${KINDS[value]}` })),
  );

const isKind = (value: unknown): value is Kind => typeof value === 'string' && Object.hasOwn(KINDS, value);

/** A name that npm, systemd and SLURM take. */
function nameOf(folder: string): string {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'my-worker' : name;
}

/** All or nothing, as far as what is there already goes. @throws UsageError naming the files that would be overwritten. */
function write(folder: string, files: readonly StarterFile[], force: boolean): void {
  const there = files.filter(({ path }) => existsSync(join(folder, path)));
  if (there.length > 0 && !force)
    throw new UsageError(
      `Nothing was written: ${there.map(({ path }) => path).join(', ')} ${there.length === 1 ? 'is' : 'are'} there already; name another folder, or overwrite with --force`,
    );
  for (const { path, content, executable } of files) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: executable === true ? 0o755 : 0o644 });
  }
}

function tellNext({ out }: Frame, place: string, kind: Kind): void {
  const python = kind === 'python' || kind === 'service';
  out.line();
  out.line('Next:');
  if (place !== '') out.line(`  cd ${shellWord(place)}`);
  out.line('  npm install');
  if (python) out.line('  pip install -r requirements.txt   # when your model needs something');
  out.line('  npm test                          # does a job of an Antenna in memory');
  out.line(
    '  npx antenna serve                 # an Antenna to try it against; prints the lines for another terminal',
  );
  out.line('  npx antenna run --project 1       # in that terminal: works until Ctrl-C');
  out.line();
  out.line('With a server and a key of your own: npx antenna doctor');
}
