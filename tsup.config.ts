import { defineConfig, type Options } from 'tsup';

const api = { index: 'src/index.ts', testing: 'src/testing/index.ts' };

const common: Options = {
  // `testing` is an entry of its own so that a worker in production never loads msw. The executors start threads and processes with
  // files, which they look for beside themselves; nobody imports those, so they have no types.
  entry: {
    ...api,
    'executor-thread': 'src/worker/executors/executor-thread.ts',
    'executor-child': 'src/worker/executors/executor-child.ts',
  },
  target: 'node20',
  platform: 'node',
  sourcemap: false,
  // The builds run at the same time: `npm run build` empties the folder before all of them.
  clean: false,
  splitting: true,
  // `util` could be a package of that name, `node:util` could not.
  removeNodeProtocol: false,
  treeshake: true,
  esbuildOptions(options) {
    // entry-file.ts asks for `__filename` first, so the CommonJS build never gets to the empty `import.meta`.
    options.logOverride = { 'empty-import-meta': 'silent' };
  },
};

// p-retry is an ES module and nothing else, and `require` of one throws before Node 20.19: the CommonJS build carries it.
const ESM_ONLY = ['p-retry', 'is-network-error'];
const NOTICE = '/*! Contains p-retry and is-network-error: MIT License, Copyright (c) Sindre Sorhus */';

export default defineConfig([
  { ...common, format: 'esm' },
  { ...common, format: 'cjs', noExternal: ESM_ONLY, banner: { js: NOTICE } },
  { ...common, entry: api, format: ['esm', 'cjs'], dts: { only: true } },
]);
