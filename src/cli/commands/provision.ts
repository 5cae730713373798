import { EXIT } from '../exit-codes.js';
import type { Run } from '../frame.js';
import { optionalPipelines } from '../load-pipelines.js';
import { provisionBy, tell } from '../provisioning.js';

/** `antenna provision`. */
export const run: Run = async (frame) => {
  const pipelines = (await optionalPipelines(frame)) ?? [];
  const outcome = await provisionBy(frame, {
    pipelines: pipelines.map(({ config }) => config),
    rotateKey: frame.options['rotate'] === true,
  });
  tell(frame, outcome);
  return outcome.provisioned.registration?.ok === false ? EXIT.failed : EXIT.ok;
};
