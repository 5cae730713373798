import { OutOfMemoryTaskError, PermanentTaskError, RetryableTaskError } from '../handler/task-errors.js';

/**
 * An error on its way between threads or processes. Cloning keeps the text of an error and loses its class, and with it what is to
 * become of the task.
 */
export interface WireError {
  readonly kind: 'permanent' | 'out-of-memory' | 'retryable' | 'other';
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
}

export function toWireError(error: unknown): WireError {
  const kind =
    error instanceof PermanentTaskError
      ? 'permanent'
      : error instanceof OutOfMemoryTaskError
        ? 'out-of-memory'
        : error instanceof RetryableTaskError
          ? 'retryable'
          : 'other';
  if (!(error instanceof Error)) return { kind, name: 'Error', message: String(error) };
  return { kind, name: error.name, message: error.message, stack: error.stack };
}

export function fromWireError(wire: WireError): Error {
  const error =
    wire.kind === 'permanent'
      ? new PermanentTaskError(wire.message)
      : wire.kind === 'out-of-memory'
        ? new OutOfMemoryTaskError(wire.message)
        : wire.kind === 'retryable'
          ? new RetryableTaskError(wire.message)
          : new Error(wire.message);
  if (wire.kind === 'other') error.name = wire.name;
  // The remote stack is the one that says where.
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
