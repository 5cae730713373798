import { z } from 'zod';
import { ROLES } from '../state/rows.js';

const id = z.int().positive().optional();

const algorithm = z.strictObject({
  id,
  key: z.string().min(1),
  name: z.string().optional(),
  version: z.int().optional(),
  task_type: z.string().nullable().optional(),
  uri: z.string().nullable().optional(),
  labels: z.array(z.string()).optional(),
  category_map: z
    .strictObject({
      id,
      labels: z.array(z.string()).optional(),
      data: z.array(z.record(z.string(), z.unknown())).optional(),
    })
    .nullable()
    .optional(),
});

const pipeline = z.strictObject({
  id,
  slug: z.string().min(1),
  name: z.string().optional(),
  version: z.int().optional(),
  description: z.string().optional(),
  /** Default: a detector and a classifier named after the slug. */
  algorithms: z.array(algorithm).optional(),
});

const service = z.strictObject({
  id,
  name: z.string().min(1),
  /** Whole keys, `prefix.secret`. Default: one random key, named by `serveContractServer`; none in the `token` dialect. */
  keys: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}$/, 'must be 8 and 32 letters or digits with a dot between'),
    )
    .optional(),
});

const image = z.union([z.string(), z.strictObject({ id, url: z.string().nullable() })]);

const job = z.strictObject({
  id,
  name: z.string().optional(),
  /** Slug of a pipeline of the same project. */
  pipeline: z.string(),
  /** URLs, or a number of images whose URLs do not matter. */
  images: z.union([z.array(image), z.int().nonnegative()]),
  limit: z.int().positive().optional(),
  shuffle: z.boolean().optional(),
  /** Default true. */
  start: z.boolean().optional(),
});

const user = z.strictObject({
  id,
  email: z.string().min(1),
  password: z.string().optional(),
  name: z.string().optional(),
  superuser: z.boolean().optional(),
  staff: z.boolean().optional(),
  active: z.boolean().optional(),
  token: z
    .string()
    .regex(/^[0-9a-f]{40}$/, 'must be 40 lowercase hexadecimal digits')
    .optional(),
});

const project = z.strictObject({
  id,
  name: z.string().optional(),
  draft: z.boolean().optional(),
  asyncPipelineWorkers: z.boolean().optional(),
  /** E-mail address of a user. */
  owner: z.string().optional(),
  members: z.array(z.strictObject({ user: z.string(), role: z.enum(ROLES).optional() })).optional(),
  services: z.array(service).default([]),
  pipelines: z.array(pipeline).default([]),
  jobs: z.array(job).default([]),
});

const milliseconds = z.number().nonnegative().optional();

/** Everything a contract server can be started with; a misspelt name is an error, not ignored. */
export const seedSchema = z.strictObject({
  dialect: z.enum(['api-key', 'token']),
  options: z
    .strictObject({
      seed: z.int().optional(),
      visibilityTimeoutMs: milliseconds,
      maxDeliveries: z.int().positive().optional(),
      maxOutstanding: z.int().positive().optional(),
      saveDelayMs: milliseconds,
      saving: z
        .strictObject({
          perSecond: z.number().nonnegative().optional(),
          lostUpdates: z.number().min(0).max(1).optional(),
        })
        .optional(),
      startDelayMs: milliseconds,
      emptyWaitMs: milliseconds,
      enforceKeyExpiry: z.boolean().optional(),
      reaper: z.boolean().optional(),
      reapAfterMs: milliseconds,
      reapEveryMs: milliseconds,
    })
    .optional(),
  users: z.array(user).default([]),
  projects: z.array(project).default([]),
});

/** What a seed file holds. */
export type ContractServerSeed = z.input<typeof seedSchema>;
export type ParsedSeed = z.output<typeof seedSchema>;
