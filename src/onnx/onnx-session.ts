/** The file that a session thread runs: it holds the models, and does nothing but run them. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { toWireError } from '../worker/executors/wire-error.js';
import type { ModelQueue, ModelReply } from './model-queue.js';
import { namedOutOfMemory } from './out-of-memory.js';
import { loadModels, type OrtModule, type SessionSettings } from './session-host.js';
import type { FromSession, SessionReply, SessionRequest, ToSession } from './thread-messages.js';

const tell = (message: FromSession): void => {
  parentPort?.postMessage(message);
};

function serve(port: MessagePort, queue: ModelQueue): void {
  port.on('message', ({ id, request }: SessionRequest) => {
    queue.ask(request).then(
      (reply) => {
        answer(port, { id, reply }, reply);
      },
      (error: unknown) => {
        answer(port, { id, error: toWireError(namedOutOfMemory(error)) });
      },
    );
  });
}

/** Outputs are moved, not copied, where each has its memory to itself. */
function answer(port: MessagePort, message: SessionReply, reply?: ModelReply): void {
  const arrays = reply?.runs.flatMap(({ outputs }) => outputs.map(({ data }) => data)) ?? [];
  const owned = arrays.filter(({ buffer, byteLength }) => buffer.byteLength === byteLength);
  try {
    port.postMessage(message, [...new Set(owned.map(({ buffer }) => buffer as ArrayBuffer))]);
  } catch {
    // Memory of the runtime itself may not be moved.
    port.postMessage(message);
  }
}

async function main(): Promise<void> {
  // Where Float16Array is there, onnxruntime makes halves of it, and on Node 24.22 its native part (1.30) finds no bytes in one ("not enough
  // space: expected 2457600, got 0"). Without it halves are Uint16Array, as on Node 20. This thread runs nothing else.
  Reflect.deleteProperty(globalThis, 'Float16Array');
  const namespace = (await import('onnxruntime-node')) as OrtModule & { readonly default?: OrtModule };
  const loading = await loadModels(
    namespace.default ?? namespace,
    workerData as SessionSettings,
    (where, max) => {
      tell({
        type: 'log',
        level: 'warn',
        message: `${where} ran out of memory; from now on it gets ${max} images at once`,
      });
    },
  );
  if ('issues' in loading) {
    tell({ type: 'refused', issues: loading.issues });
    return;
  }
  const { queue, loaded, release } = loading;
  const ports: MessagePort[] = [];
  parentPort?.on('message', (message: ToSession) => {
    if (message.type === 'serve') {
      ports.push(message.port);
      serve(message.port, queue);
      return;
    }
    for (const port of ports) port.close();
    parentPort?.close();
    void release();
  });
  tell({ type: 'loaded', models: loaded });
}

main().catch((error: unknown) => {
  tell({ type: 'failed', error: toWireError(error) });
});
