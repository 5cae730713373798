// What is shipped, as users get it: packs the built package, installs the tarball in empty folders, and uses it from an ES
// module, from CommonJS, from both at once, and from strict TypeScript in every module resolution that matters.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blobDetector, shadeClassifier, SHADES } from '../examples/onnx/blob-model.js';
import * as mainSource from '../src/index.js';
import * as onnxSource from '../src/onnx/index.js';
import * as testingSource from '../src/testing/index.js';
import { npm, run } from './run-command.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CONSUMERS = fileURLToPath(new URL('./consumers', import.meta.url));
const SHIPPED =
  /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/[\w-]+\.(?:js|cjs|d\.ts|d\.cts)|dist\/onnx-schema\.json|python\/antenna_handler\.py)$/;
/** Before Node 20.19 `require` of an ES module throws; this flag brings that back, and the package promises 20.18.1. */
const OLD_REQUIRE = ['--no-experimental-require-module'].filter(() =>
  process.allowedNodeEnvironmentFlags.has('--experimental-require-module'),
);

/**
 * The last msw whose CommonJS build requires no ES module. Newer ones need Node 20.19 for CommonJS, and with TypeScript's `node16` and
 * `skipLibCheck: false` their types do not compile in a CommonJS project; neither is ours to mend.
 */
const MSW_FOR_COMMONJS = 'msw@2.11.0';

const CONSUMER_FILES = [
  'esm.mjs',
  'cjs.cjs',
  'both-copies.mjs',
  'without-msw.mjs',
  'worker.jest.cjs',
  'onnx.mjs',
  'onnx.cjs',
  'without-peers.mjs',
];

interface Packed {
  filename: string;
  size: number;
  unpackedSize: number;
  files: { path: string; size: number }[];
}

const expected = JSON.stringify({
  main: Object.keys(mainSource).sort(),
  testing: Object.keys(testingSource).sort(),
});

function pack(into: string): Packed {
  const report = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', into], ROOT);
  const [packed] = JSON.parse(report.slice(report.indexOf('['))) as [Packed];
  const stray = packed.files.map(({ path }) => path).filter((path) => !SHIPPED.test(path));
  if (stray.length > 0) throw new Error(`The tarball holds what no user needs: ${stray.join(', ')}`);
  const entries = ['index', 'onnx', 'python', 'testing'].flatMap((name) =>
    ['js', 'cjs', 'd.ts', 'd.cts'].map((ending) => `dist/${name}.${ending}`),
  );
  entries.push('dist/onnx-schema.json', 'dist/onnx-session.js', 'dist/onnx-prepare.js');
  const missing = entries.filter((path) => !packed.files.some((file) => file.path === path));
  if (missing.length > 0) throw new Error(`Not built: ${missing.join(', ')}. Run "npm run build" first`);
  return packed;
}

/** An installed package's version in this repository, so that the consumers get what the tests ran with. */
function versionHere(name: string): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}

/** A folder of models, as a user has one. */
function writeModels(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'blobs.onnx'), blobDetector());
  writeFileSync(join(folder, 'shades.onnx'), shadeClassifier());
  const detector = { model: 'blobs.onnx', labels: ['blob'], padding: 220, tiles: { scales: [0.5] } };
  const classifiers = [{ model: 'shades.onnx', labels: SHADES, normalise: 'unit', crop: { square: false } }];
  const description = { name: 'Blobs', slug: 'blobs', version: 1, detector, classifiers };
  writeFileSync(join(folder, 'antenna.json'), JSON.stringify(description));
}

function install(folder: string, tarball: string, others: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  const packages = others.map((name) => (name.includes('@', 1) ? name : `${name}@${versionHere(name)}`));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  npm(
    ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', tarball, ...packages],
    folder,
  );
  for (const file of CONSUMER_FILES) {
    cpSync(join(CONSUMERS, file), join(folder, file));
  }
}

interface TypeScriptProject {
  title: string;
  file: string;
  options: Record<string, unknown>;
  /** What to run after compiling. */
  emitted?: string;
}

const TYPESCRIPT: TypeScriptProject[] = [
  {
    title: 'strict TypeScript, node16, ES module',
    file: 'strict.mts',
    options: { module: 'node16', moduleResolution: 'node16' },
    emitted: 'strict.mjs',
  },
  {
    title: 'strict TypeScript, node16, CommonJS',
    file: 'strict.cts',
    options: { module: 'node16', moduleResolution: 'node16' },
    emitted: 'strict.cjs',
  },
  {
    title: 'strict TypeScript, bundler',
    file: 'strict.ts',
    options: { module: 'esnext', moduleResolution: 'bundler' },
  },
];

function compile(folder: string, { title, file, options, emitted }: TypeScriptProject): void {
  const project = join(folder, title.replaceAll(/\W+/g, '-'));
  mkdirSync(project, { recursive: true });
  cpSync(join(CONSUMERS, 'strict.ts'), join(project, file));
  const compilerOptions = {
    target: 'es2022',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    outDir: 'out',
    ...options,
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
  run(process.execPath, [join(folder, 'node_modules/typescript/bin/tsc'), '-p', project], project);
  if (emitted !== undefined) run(process.execPath, [...OLD_REQUIRE, join(project, 'out', emitted)], project);
}

/** Runs one check and says how it went; the rest still runs, so that one report tells everything. */
function attempt(title: string, check: () => void): boolean {
  try {
    check();
    console.log(`  ok    ${title}`);
    return true;
  } catch (error) {
    console.log(`  FAIL  ${title}\n${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

function main(): boolean {
  const work = mkdtempSync(join(tmpdir(), 'antenna-sdk-package-'));
  try {
    const packed = pack(work);
    const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
    console.log(
      `${packed.filename}: ${packed.files.length} files, ${kilobytes(packed.size)} packed, ${kilobytes(packed.unpackedSize)} unpacked`,
    );
    const tarball = join(work, packed.filename);
    const full = join(work, 'full');
    const bare = join(work, 'bare');
    const commonJs = join(work, 'commonjs');
    install(full, tarball, ['msw', 'typescript', '@types/node']);
    install(commonJs, tarball, [MSW_FOR_COMMONJS, 'jest@30', 'typescript', '@types/node']);
    install(bare, tarball, []);
    const onnx = join(work, 'onnx');
    install(onnx, tarball, ['onnxruntime-node', 'sharp']);
    writeModels(join(onnx, 'models'));
    const onnxNames = JSON.stringify(Object.keys(onnxSource).sort());
    const node = (folder: string, ...args: string[]): void => {
      run(process.execPath, args, folder);
    };
    return [
      attempt('ES module, every export', () => {
        node(full, 'esm.mjs', expected);
      }),
      attempt('CommonJS without require of ES modules, every export', () => {
        node(commonJs, ...OLD_REQUIRE, 'cjs.cjs', expected);
      }),
      attempt('the contract server under jest', () => {
        node(commonJs, 'node_modules/jest/bin/jest.js', '--rootDir=.', '--testMatch=**/*.jest.cjs');
      }),
      attempt('instanceof across both builds in one process', () => {
        node(full, 'both-copies.mjs');
      }),
      attempt('main entry without msw installed', () => {
        node(bare, 'without-msw.mjs');
      }),
      attempt('ONNX models with the two peers and nothing else, ES module', () => {
        node(onnx, 'onnx.mjs', onnxNames);
      }),
      attempt('ONNX models, CommonJS without require of ES modules', () => {
        node(onnx, ...OLD_REQUIRE, 'onnx.cjs', onnxNames);
      }),
      attempt('the ONNX entry without its peers says what to install', () => {
        node(bare, 'without-peers.mjs');
      }),
      ...TYPESCRIPT.map((project) =>
        attempt(project.title, () => {
          compile(project.file.endsWith('.cts') ? commonJs : full, project);
        }),
      ),
    ].every(Boolean);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (!main()) process.exitCode = 1;
