import { defineConfig } from 'tsup';

const api = { index: 'src/index.ts', testing: 'src/testing/index.ts' };

// `testing` is an entry of its own so that a worker in production never loads msw. The executors start threads and processes with
// files, which they look for beside themselves; nobody imports those, so they have no types.
export default defineConfig({
  entry: {
    ...api,
    'executor-thread': 'src/worker/executors/executor-thread.ts',
    'executor-child': 'src/worker/executors/executor-child.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  dts: { entry: api },
  sourcemap: false,
  clean: true,
  splitting: true,
  treeshake: true,
  esbuildOptions(options) {
    // entry-file.ts asks for `__filename` first, so the CommonJS build never gets to the empty `import.meta`.
    options.logOverride = { 'empty-import-meta': 'silent' };
  },
});
