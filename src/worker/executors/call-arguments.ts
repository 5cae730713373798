import { checkArguments, checkOptions, isA, isObject, isWait, type Check } from '../../errors/arguments.js';

const isImages: Check = (value) =>
  Array.isArray(value) && Array.from(value).every((image) => isObject(image) === undefined)
    ? undefined
    : 'must be an array of images';

const isSignal = isA(AbortSignal);

/** A signal behind a getter is made when it is asked for, which a batch of the worker seldom does: it is not asked for here. */
const isContext: Check = (value) => {
  const wrong = isObject(value);
  if (wrong !== undefined) return wrong;
  const context = value as object;
  if (!('signal' in context)) return 'must have a signal';
  const own = Object.getOwnPropertyDescriptor(context, 'signal');
  const problem = own && 'value' in own ? isSignal(own.value) : undefined;
  return problem === undefined ? undefined : `signal ${problem}`;
};

/**
 * The arguments of an executor's `run`.
 * @throws AntennaConfigError naming each wrong one. `run` rejects for nothing else.
 */
export function checkRun(batch: unknown, context: unknown): void {
  checkArguments({ batch, context }, { batch: isImages, context: isContext });
}

/** @throws AntennaConfigError when the context of a `warmUp` is none. */
export function checkWarmUp(context: unknown): void {
  if (context !== undefined) checkArguments({ context }, { context: isContext });
}

/** @throws AntennaConfigError naming each wrong or unknown option of a `close`. */
export function checkClose(options: unknown): void {
  if (options !== undefined) checkOptions('Cannot close the executor', options, { graceMs: isWait });
}
