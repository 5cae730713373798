import { defineConfig, type Options } from 'tsup';

const common: Options = {
  // `testing` is an entry of its own so that a worker in production never loads msw.
  entry: { index: 'src/index.ts', testing: 'src/testing/index.ts' },
  target: 'node20',
  platform: 'node',
  sourcemap: false,
  // The builds run at the same time: `npm run build` empties the folder before all of them.
  clean: false,
  splitting: true,
  // `util` could be a package of that name, `node:util` could not.
  removeNodeProtocol: false,
  treeshake: true,
};

// p-retry is an ES module and nothing else, and `require` of one throws before Node 20.19: the CommonJS build carries it.
const ESM_ONLY = ['p-retry', 'is-network-error'];
const NOTICE = '/*! Contains p-retry and is-network-error: MIT License, Copyright (c) Sindre Sorhus */';

export default defineConfig([
  { ...common, format: 'esm' },
  { ...common, format: 'cjs', noExternal: ESM_ONLY, banner: { js: NOTICE } },
  { ...common, format: ['esm', 'cjs'], dts: { only: true } },
]);
