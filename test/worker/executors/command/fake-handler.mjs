// A handler that speaks the protocol in as few lines as it takes, and breaks it on demand: what an image's bytes say is what it does.
// argv: mode, then what it does at its start.
import { closeSync, readSync, writeSync } from 'node:fs';

const [mode = 'image', start = 'well'] = process.argv.slice(2);

function frame(header) {
  const json = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(12);
  prefix.write('ANTH');
  prefix.writeUInt32BE(json.length, 4);
  return Buffer.concat([prefix, json]);
}
function write(bytes) {
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
}
const send = (header) => write(frame(header));
function read(length) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length;) {
    const got = readSync(0, bytes, at, length - at);
    if (got === 0) process.exit(0);
    at += got;
  }
  return bytes;
}
function receive() {
  const prefix = read(12);
  const header = JSON.parse(read(prefix.readUInt32BE(4)).toString());
  return { header, words: (header.images ?? []).map(({ bytes }) => read(bytes).toString()) };
}
const die = () => process.kill(process.pid, 'SIGKILL');
const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

if (start === 'missing') {
  console.error('Traceback (most recent call last):\nModuleNotFoundError: No module named "torch"');
  process.exit(1);
}
if (start === 'hangs') {
  console.error(
    'waiting for the graphics card, signed https://images.example/a.jpg?X-Amz-Signature=0123456789abcdef',
  );
  sleep(60_000);
}
if (start === 'prints') write(Buffer.from('loading ANT weights\nA'));
send({ type: 'hello', protocol: start === 'newer' ? 2 : 1, software: 'fake' });
if (start === 'newer') console.error(`told: ${JSON.stringify(receive().header)}`);
if (start === 'cuda') {
  console.error('RuntimeError: No CUDA GPUs are available');
  process.exit(1);
}
const pipelines = [
  {
    slug: 'fake-moths',
    name: 'Fake',
    version: 1,
    algorithms: [{ key: 'fake-box', name: 'Fake box', task_type: 'detection' }],
  },
];
send({
  type: 'ready',
  mode,
  warm_up_ms: 12,
  image_ms: 4.5,
  ...(start === 'bare' ? {} : { pipelines }),
  ...(start === 'ahead' ? { ahead: 1 } : {}),
});

let calls = 0;
for (;;) {
  const { header, words } = receive();
  if (header.type === 'bye') {
    if (start === 'stays') sleep(60_000);
    process.exit(0);
  }
  if (header.type !== 'process') continue;
  calls += 1;
  const { call, images } = header;
  const seen = { ...header, images: undefined };
  for (const [index, image] of images.entries()) answer(call, image, words[index], images, seen);
  const [full] = words.filter((word) => word.startsWith('room-'));
  if (full && words.length > Number(full.slice(5)))
    send({
      type: 'done',
      call,
      error: { kind: 'out_of_memory', name: 'OutOfMemoryError', message: 'CUDA out of memory' },
    });
  else if (words.includes('whole')) send({ type: 'done', call, error: { message: 'the batch fails' } });
  else send({ type: 'done', call, rss_bytes: words.includes('fat') ? 1e12 : 1e6 });
  if (words.includes('after')) send({ type: 'answer', call, id: images[0].id, result: { detections: [] } });
}

function answer(call, image, word, images, seen) {
  // A worker takes nothing that it does not know; a test of the executor wants to see more.
  const result = process.env.PLAIN
    ? { detections: [] }
    : { detections: [], pid: process.pid, word, image, seen, calls, env: process.env };
  const good = { type: 'answer', call, id: image.id, result };
  switch (word.replace(/-?\d+$/, '')) {
    case 'throw':
      return send({
        ...good,
        result: undefined,
        error: { name: 'ValueError', message: 'bad', where: '  File "model.py"' },
      });
    case 'permanent':
    case 'retryable':
    case 'out_of_memory':
      return send({ ...good, result: undefined, error: { kind: word, message: 'typed' } });
    case 'cut': {
      const bytes = Buffer.concat([
        frame({ ...good, result: { detections: [] } }),
        frame({ type: 'done', call }),
      ]);
      write(bytes.subarray(0, Number(word.slice(4))));
      return die();
    }
    case 'exit':
      console.error('terminate called after throwing');
      process.exit(3);
      return;
    case 'sigkill':
      return die();
    case 'close-out':
      closeSync(1);
      return sleep(60_000);
    case 'close-in':
      closeSync(0);
      closeSync(1);
      return sleep(60_000);
    case 'garbage':
      return write(Buffer.from('Epoch 1/10 [=====>....] loss: 0.3 token Bearer abcdefghijklmnop\n'));
    case 'huge':
      return write(Buffer.from('ANTH\xff\xff\xff\xff\0\0\0\0', 'latin1'));
    case 'nan':
      return write(Buffer.from('ANTH\0\0\0\x03\0\0\0\0NaN', 'latin1'));
    case 'unknown':
      return send({ type: 'dance', call });
    case 'misfit':
      return send({ type: 'answer', call, id: 7 });
    case 'twice':
      send(good);
      return send(good);
    case 'foreign':
      return send({ ...good, id: 'somebody-elses' });
    case 'other-call':
      return send({ ...good, call: call + 9 });
    case 'silent':
      return undefined;
    case 'never':
      send({ type: 'log', level: 'warn', message: 'never ends' });
      return sleep(60_000);
    case 'slow':
      sleep(Number(word.slice(5)));
      return send(good);
    case 'say':
      send({ type: 'log', level: 'warn', message: 'key abc of https://images.example/a.jpg?sig=0123456789' });
      send({ type: 'progress', done: 1, of: 2, message: 'half' });
      return send(good);
    default:
      return send(good);
  }
}
