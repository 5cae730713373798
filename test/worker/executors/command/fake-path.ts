import { fileURLToPath } from 'node:url';

/** The handler of these tests; a program of its own imports this without the test runner. */
export const FAKE = fileURLToPath(new URL('./fake-handler.mjs', import.meta.url));
