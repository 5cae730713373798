import { definePipeline, type PipelineDefinition, type WorkerPipeline } from 'antenna-sdk';

/** A small valid pipeline definition; tests change the part they are about. */
export function pipelineDefinition(changes: Partial<PipelineDefinition> = {}): PipelineDefinition {
  return {
    name: 'Test Moths',
    slug: 'test-moths',
    version: 1,
    algorithms: [
      { key: 'test-box', name: 'Test Box', task_type: 'detection' },
      {
        key: 'test-species',
        name: 'Test Species',
        task_type: 'classification',
        category_map: {
          data: [{ label: 'Actias luna' }, { label: 'Arctia caja' }, { label: 'Noctua pronuba' }],
        },
      },
    ],
    process: () => ({ detections: [] }),
    ...changes,
  };
}

export function pipeline(changes: Partial<PipelineDefinition> = {}): WorkerPipeline {
  return definePipeline(pipelineDefinition(changes));
}
