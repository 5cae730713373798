import { defineConfig } from 'tsup';

// `testing` is an entry of its own so that a worker in production never loads msw.
export default defineConfig({
  entry: { index: 'src/index.ts', testing: 'src/testing/index.ts' },
  format: ['esm', 'cjs'],
  target: 'node20',
  platform: 'node',
  dts: true,
  sourcemap: false,
  clean: true,
  splitting: true,
  treeshake: true,
});
