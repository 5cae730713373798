import { existsSync } from 'node:fs';
import { definePipeline, ThreadExecutor } from 'antenna-sdk';
import { CATEGORY_MAP } from './classify.js';

/** The handler compiled to JavaScript, if that was done; otherwise its source, as `npx tsx` runs the rest. */
const built = new URL('./handler.js', import.meta.url);
const handler = existsSync(built)
  ? { module: built }
  : {
      module: new URL('./handler.ts', import.meta.url),
      execArgv: ['--import', new URL('./register-tsx.mjs', import.meta.url).href],
    };

/** Images side by side. */
export const THREADS = 2;

/** The example's pipeline: one detector that finds silhouettes, one classifier that sorts them by size and shape. */
export const insectPipeline = definePipeline({
  name: 'Light sheet silhouettes',
  slug: 'light-sheet-silhouettes',
  version: 1,
  description: 'Finds dark things on a light sheet and sorts them by size and shape. Names no species.',
  algorithms: [
    { key: 'light-sheet-blobs', name: 'Light sheet blobs', task_type: 'detection' },
    {
      key: 'silhouette-shapes',
      name: 'Silhouette shapes',
      task_type: 'classification',
      category_map: CATEGORY_MAP,
    },
  ],
  // It computes in JavaScript: in the worker's own thread, posts and heartbeats would wait for every image.
  executor: () => new ThreadExecutor({ ...handler, threads: THREADS }),
});
