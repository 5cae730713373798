import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const local = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^antenna-sdk$/, replacement: local('./src/index.ts') },
      { find: /^antenna-sdk\/python$/, replacement: local('./src/python/index.ts') },
      { find: /^antenna-sdk\/onnx$/, replacement: local('./src/onnx/index.ts') },
      { find: /^antenna-sdk\/testing$/, replacement: local('./src/testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // A hang is a failure of the code under test, never something to wait out.
    testTimeout: 30_000,
    // By default one core is left idle, which on two is half the machine: no test looks at the clock of the wall.
    maxWorkers: '100%',
    coverage: { include: ['src/**/*.ts'], reporter: ['text-summary', 'json-summary'] },
  },
});
