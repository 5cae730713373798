import { defineConfig, type Options } from 'tsup';

// `testing` is an entry of its own so that a worker in production never loads msw, and `onnx` so that a client never loads a model runtime.
const api = {
  index: 'src/index.ts',
  onnx: 'src/onnx/index.ts',
  python: 'src/python/index.ts',
  testing: 'src/testing/index.ts',
};

// The executors start threads and processes with these files, which they look for beside themselves, from both builds. Nobody imports
// them, so they have no types.
const executors = {
  'executor-thread': 'src/worker/executors/executor-thread.ts',
  'executor-child': 'src/worker/executors/executor-child.ts',
  'onnx-session': 'src/onnx/onnx-session.ts',
  'onnx-prepare': 'src/onnx/onnx-prepare.ts',
};

// The `antenna` command is a program: an ES module and nothing else, without types. It shares its chunks with the library, so that a
// user's module that imports `antenna-sdk` meets the same classes.
const command = { cli: 'src/cli/main.ts' };

// Nobody imports this one by its name. A bundler drops a module of ours that it does not need, but not a statement inside one that it
// needs a part of, and modules that the same entries reach are joined to one: an entry that reaches no more than the client does keeps
// what only a worker needs out of the modules that a client is made of. `npm run check:size` tells what it is worth.
const shaping = { client: 'src/client/client.ts' };

const common: Options = {
  entry: api,
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

// p-retry is an ES module and nothing else, and `require` of one throws before Node 20.19: the CommonJS build carries it. tinypool is
// one too, but is loaded by `import()`.
const ESM_ONLY = ['p-retry', 'is-network-error'];
const NOTICE = '/*! Contains p-retry and is-network-error: MIT License, Copyright (c) Sindre Sorhus */';

// What the library loads late, a CommonJS build loads by `require` as well: a host that runs CommonJS in a context of its own, as jest does,
// refuses `import()` there. Left as they are: packages that are ES modules and nothing else (tinypool), and those that a user installs.
const LATE = /\bimport\((['"](?:\.[^'"]*|undici|image-size)['"])\)/g;
const requireLate: NonNullable<Options['plugins']>[number] = {
  name: 'require-late',
  renderChunk: (code) => ({ code: code.replace(LATE, 'Promise.resolve().then(() => require($1))') }),
};

export default defineConfig([
  { ...common, entry: { ...api, ...executors, ...command, ...shaping }, format: 'esm' },
  { ...common, format: 'cjs', noExternal: ESM_ONLY, banner: { js: NOTICE }, plugins: [requireLate] },
  { ...common, format: ['esm', 'cjs'], dts: { only: true } },
]);
