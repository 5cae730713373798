import { EXIT } from '../exit-codes.js';
import type { Run } from '../frame.js';
import { optionalPipelines } from '../load-pipelines.js';
import { provisionBy, tell } from '../provisioning.js';

/** `antenna provision`. */
export const run: Run = async (frame) => {
  const loaded = await optionalPipelines(frame);
  const pipelines = loaded?.pipelines ?? [];
  const outcome = await provisionBy(frame, {
    pipelines: pipelines.map(({ config }) => config),
    rotateKey: frame.options['rotate'] === true,
  });
  await loaded?.close();
  tell(frame, outcome);
  return outcome.provisioned.registration?.ok === false ? EXIT.failed : EXIT.ok;
};
