// Runs the tests on every Node version that the package promises: `npm run test:nodes`, or some: `npm run test:nodes -- 22 24`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as mainSource from '../src/index.js';
import * as testingSource from '../src/testing/index.js';
import { npm, run } from './run-command.js';
import { describeCounts, readReport } from './vitest-report.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(ROOT, '.cache', 'nodes');
/** The oldest version of `engines`. The test runner itself needs 20.19, so here the built package is tried instead. */
const OLDEST = '20.18.1';
const VERSIONS = [OLDEST, '20', '22', '24', '26'];

interface Outcome {
  asked: string;
  version: string;
  ok: boolean;
  what: string;
  seconds: number;
}

/**
 * The binary of a version. The `node` package on npm only fetches the package of the platform in an install script, and install
 * scripts are often turned off: we ask for that package ourselves.
 */
function binaryOf(asked: string): string {
  const folder = join(CACHE, asked);
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `${platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'}-${platform}-${process.arch}`;
  const binary = join(
    folder,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-save', '--ignore-scripts'];
    npm([...args, '--prefer-offline', `${name}@${asked}`], folder);
  }
  return binary;
}

/** The report of the tests is printed when they fail. */
function runTests(binary: string, asked: string): Pick<Outcome, 'ok' | 'what'> {
  const report = join(CACHE, `${asked}.json`);
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status, stdout } = spawnSync(binary, ['node_modules/vitest/vitest.mjs', 'run', ...reporters], {
    cwd: ROOT,
    env: { ...process.env, CI: 'true', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  const counts = readReport(report);
  const ok = status === 0 && counts?.failed === 0;
  if (!ok) console.log(stdout);
  return { ok, what: counts ? describeCounts(counts) : 'no report' };
}

/**
 * The repository's own name resolves to its build, so the consumers run here as they would where it is installed. The testing
 * entry is tried as an ES module only: the repository's msw requires ES modules, which this Node cannot.
 */
function tryBuild(binary: string): Pick<Outcome, 'ok' | 'what'> {
  const main = Object.keys(mainSource).sort();
  const testing = Object.keys(testingSource).sort();
  const consumers: [file: string, expected: object][] = [
    ['esm.mjs', { main, testing }],
    ['cjs.cjs', { main }],
    ['both-copies.mjs', { main }],
  ];
  for (const [file, expected] of consumers) {
    run(binary, [join('scripts', 'consumers', file), JSON.stringify(expected)], ROOT);
  }
  return { ok: true, what: `the build: ${consumers.map(([file]) => file).join(', ')}` };
}

function examine(asked: string): Outcome {
  const start = performance.now();
  let version = '?';
  const outcome = (found: Pick<Outcome, 'ok' | 'what'>): Outcome => ({
    asked,
    version,
    ...found,
    seconds: (performance.now() - start) / 1000,
  });
  try {
    const binary = binaryOf(asked);
    version = run(binary, ['--version'], ROOT).trim();
    console.log(`\n== Node ${version}`);
    return outcome(asked === OLDEST ? tryBuild(binary) : runTests(binary, asked));
  } catch (error) {
    return outcome({ ok: false, what: error instanceof Error ? error.message : String(error) });
  }
}

const chosen = process.argv.slice(2);
const versions = chosen.length > 0 ? chosen : VERSIONS;
if (versions.includes(OLDEST)) npm(['run', 'build'], ROOT);
const outcomes = versions.map(examine);
console.log('\n| asked | Node | result | tests | seconds |\n| --- | --- | --- | --- | ---: |');
for (const { asked, version, ok, what, seconds } of outcomes) {
  console.log(`| ${asked} | ${version} | ${ok ? 'ok' : 'FAILED'} | ${what} | ${seconds.toFixed(1)} |`);
}
if (!outcomes.every(({ ok }) => ok)) process.exitCode = 1;
