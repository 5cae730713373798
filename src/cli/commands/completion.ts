import { completionScript } from '../completion.js';
import type { Run } from '../frame.js';
import { completableOf, createProgram } from '../program.js';
import { EXIT } from '../exit-codes.js';

/** `antenna completion bash`. */
export const run: Run = async ({ args, out }) => {
  const program = createProgram(() => undefined);
  out.raw(completionScript(args[0] ?? '', completableOf(program)));
  return EXIT.ok;
};
