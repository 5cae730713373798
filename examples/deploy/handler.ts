import type { HandlerContext, ProcessResult, TaskImage } from 'antenna-sdk';

/** Stands for a model: loaded once per process, before the first task is taken. */
let threshold: number | undefined;

/** Loads the model. A real one also runs a blank image here and returns the milliseconds that it took. */
export function warmUp({ logger }: HandlerContext): void {
  threshold = 0.5;
  logger.info({}, 'model loaded');
}

/** Looks at one image. This one finds nothing in any; put your model here. */
export function process(image: TaskImage, { signal }: HandlerContext): ProcessResult {
  signal.throwIfAborted();
  if (threshold === undefined || image.bytes.length === 0) throw new Error('the model is not loaded');
  return { detections: [] };
}
