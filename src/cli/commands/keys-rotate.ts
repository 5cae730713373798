import { EXIT } from '../exit-codes.js';
import type { Run } from '../frame.js';
import { provisionBy, tell } from '../provisioning.js';

/** `antenna keys rotate`. */
export const run: Run = async (frame) => {
  tell(frame, await provisionBy(frame, { pipelines: [], rotateKey: true }));
  return EXIT.ok;
};
