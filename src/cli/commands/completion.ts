import { completionScript } from '../completion.js';
import type { Run } from '../frame.js';
import { EXIT } from '../exit-codes.js';

/** `antenna completion bash`. */
export const run: Run = async ({ args, out, completable }) => {
  out.raw(completionScript(args[0] ?? '', completable()));
  return EXIT.ok;
};
