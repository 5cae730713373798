import type { Dialect } from '../options.js';
import type { Route } from '../wire/call.js';
import { LIST_ALLOW } from '../wire/call.js';
import { json } from '../wire/respond.js';
import { authRoutes } from './auth.js';
import { jobRoutes } from './jobs.js';
import { pipelineRoutes } from './pipelines.js';
import { processingServiceRoutes } from './processing-services.js';
import { projectPipelineRoutes } from './project-pipelines.js';
import { projectRoutes } from './projects.js';

const indexRoute: Route = {
  pattern: /^$/,
  allow: LIST_ALLOW,
  methods: {
    GET: (call) =>
      json(
        200,
        Object.fromEntries(['jobs', 'ml/pipelines', 'projects'].map((name) => [name, call.url(`${name}/`)])),
      ),
  },
};

/** Every route a worker or its provisioning uses; all others are unknown to this server, and answer 404 HTML. */
export function routesOf(dialect: Dialect): readonly Route[] {
  return [
    ...jobRoutes,
    ...projectPipelineRoutes,
    ...projectRoutes,
    ...pipelineRoutes,
    ...processingServiceRoutes(dialect),
    ...authRoutes,
    indexRoute,
  ];
}
