import { isBatchCut, type HoldBound, type Sizing, type SizingInputs } from './hold-target.js';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;

/** Says in words how many tasks are held and which bound is at work, with the numbers behind it. */
export function explainSizing(slug: string, sizing: Sizing, inputs: SizingInputs): string {
  const measured =
    inputs.calls === 0
      ? 'nothing measured yet'
      : `${seconds(inputs.taskMeanMs)} ± ${seconds(inputs.taskSdMs)} per task`;
  const cut = isBatchCut(inputs)
    ? ` Batches hold ${inputs.batchSize} of ${inputs.wantedBatch} images at most, because a larger one failed as a whole; one more is tried ` +
      `after 20 that go well.`
    : '';
  return `${slug}: holding up to ${sizing.target} tasks (${measured}). ${REASONS[sizing.bound](sizing, inputs)}${cut}`;
}

function needed({ need, leaseCap }: Sizing): string {
  return `${need} keep the model busy; the lease would allow ${leaseCap}.`;
}

const REASONS: Readonly<Record<HoldBound, (sizing: Sizing, inputs: SizingInputs) => string>> = {
  'cold-start': ({ target }, { calls }) =>
    `Starting cold: ${calls} of 3 calls measured, so only ${target} at a time until the model's speed is known.`,
  lease: ({ budgetMs, leaseCap, need, leaseTooShort }, { leaseMs, callMeanMs, leaseScale }) =>
    leaseTooShort
      ? `The lease is the limit and too short: one call takes ${seconds(callMeanMs)}, of a lease of ${seconds(leaseMs)} only ` +
        `${seconds(Math.max(0, budgetMs))} are usable, so tasks are often done twice. If the server's lease is longer, set leaseMs.`
      : `The lease is the limit: ${leaseCap} tasks fit the ${seconds(budgetMs)} usable of a lease of ${seconds(leaseMs)}, while ` +
        `${need} would keep the model busy${leaseScale < 1 ? `; reduced to ${Math.round(leaseScale * 100)} % after late tasks` : ''}. ` +
        `If the server's lease is longer, set leaseMs.`,
  need: needed,
  batch: needed,
  bytes: ({ bytesCap }, { imageP95Bytes, budgetBytes }) =>
    `Memory is the limit: ${bytesCap} images of ${Math.round(imageP95Bytes / 1024)} KiB fit the budget of ` +
    `${Math.round(budgetBytes / 1024 / 1024)} MiB (imageBudgetBytes).`,
  'max-held': (_sizing, { maxHeld }) => `The option maxHeld is the limit: ${maxHeld}.`,
};
