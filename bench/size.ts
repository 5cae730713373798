import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { figure, type Bench } from './harness.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Kilobytes of a minified ES module bundle after gzip. */
async function bundleKilobytes(source: string, external: string[]): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: ROOT },
    // The package by its own name, as built; without this esbuild follows tsconfig's paths to the source.
    tsconfigRaw: {},
    external,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length / 1000;
}

const CLIENT = `export { AntennaClient } from 'antenna-sdk'`;
const ALL = `export * from 'antenna-sdk'`;
const RUNTIME = ['undici', 'zod', 'pino', 'p-retry', 'lru-cache'];

/** What the package adds to a bundle. */
export const size: Bench = {
  name: 'size',
  title: 'Size in a bundle, minified and gzipped',
  async run() {
    return [
      figure('client, no dependency', await bundleKilobytes(CLIENT, RUNTIME), 'kB', 25),
      figure('client with p-retry and pino', await bundleKilobytes(CLIENT, ['undici', 'zod']), 'kB'),
      figure('whole entry, no dependency', await bundleKilobytes(ALL, RUNTIME), 'kB'),
      figure('whole entry with p-retry and pino', await bundleKilobytes(ALL, ['undici', 'zod']), 'kB'),
    ];
  },
};
