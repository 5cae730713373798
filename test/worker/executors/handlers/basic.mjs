// Handler for one image, by default export. What it does is in the image's bytes.
import { setTimeout as wait } from 'node:timers/promises';

class NotAnImage extends Error {
  name = 'NotAnImage';
}

let calls = 0;

export function warmUp({ logger }) {
  logger.info({ reason: 'warm' }, 'model loaded');
  return 12.5;
}

export default async function (image, context) {
  calls += 1;
  const what = image.bytes.toString();
  switch (what) {
    case 'throw':
      throw new NotAnImage('cannot decode');
    case 'nothing':
      return undefined;
    case 'function':
      return { detections: [], later: () => undefined };
    case 'exit':
      return process.exit(3);
    case 'sigkill':
      return process.kill(process.pid, 'SIGKILL');
    case 'uncaught':
      setImmediate(() => {
        throw new Error('thrown where nobody catches');
      });
      return new Promise(() => undefined);
    case 'heap': {
      const hoard = [];
      for (;;) hoard.push(new Array(100_000).fill(calls));
    }
    case 'spin':
      context.logger.info({ reason: image.id }, 'spinning');
      for (;;);
    case 'honour': {
      context.logger.info({ reason: image.id }, 'waiting');
      const kind = await new Promise((resolve) => {
        context.signal.addEventListener('abort', () => resolve(context.signal.reason.kind));
      });
      return { detections: [], kind };
    }
    case 'stopping':
      context.logger.info({ reason: image.id }, 'waiting');
      await new Promise((resolve) => {
        if (context.stopping.aborted) resolve();
        context.stopping.addEventListener('abort', resolve);
      });
      return { detections: [], aborted: context.signal.aborted };
    case 'log':
      context.logger.warn({ reason: 'said by the handler', apiKey: 'abcdefgh.secret' }, 'hello');
      return { detections: [] };
    case 'print':
      console.log(`key ${process.env.ANTENNA_API_KEY} and Authorization: Token 0123456789abcdef`);
      console.error('GET https://images.example/a.jpg?X-Amz-Signature=0123456789 failed');
      await wait(50);
      return { detections: [], key: process.env.ANTENNA_API_KEY ?? null, extra: process.env.EXTRA ?? null };
    default:
      return {
        detections: [],
        pid: process.pid,
        calls,
        id: image.id,
        isBuffer: Buffer.isBuffer(image.bytes),
        text: what,
        config: context.config,
        remainingMs: context.deadline.remainingMs(),
      };
  }
}
