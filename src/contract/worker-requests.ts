import { z } from 'zod';
import { clientInfoSchema } from './client-info.js';
import { batchSizeSchema } from './common.js';
import { taskResultSchema } from './results.js';

/** Body of `POST jobs/{id}/tasks/` (contract §4.12). The field is `batch_size`; the server sets no maximum. */
export const reserveRequestSchema = z.strictObject({
  batch_size: batchSizeSchema,
  client_info: clientInfoSchema.optional(),
});
export type ReserveRequest = z.infer<typeof reserveRequestSchema>;

/** Body of `POST jobs/{id}/result/` (contract §4.13). Empty `results` are allowed and serve as a heartbeat. */
export const resultsRequestSchema = z.strictObject({
  results: z.array(taskResultSchema),
  client_info: clientInfoSchema.optional(),
});
export type ResultsRequest = z.infer<typeof resultsRequestSchema>;
