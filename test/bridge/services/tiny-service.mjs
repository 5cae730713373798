// A push service in a process of its own. `slow` images take a second, `hang` blocks for ever, as a real model would.
import { createServer } from 'node:http';

if (process.env.BROKEN) {
  console.error(process.env.BROKEN);
  process.exit(3);
}
if (process.env.NEVER) {
  setInterval(() => undefined, 1_000);
} else {
  const algorithm = { name: 'Tiny box', key: 'tiny_box', task_type: 'detection', category_map: null };
  const pipelines = [{ name: 'Tiny', slug: 'tiny', version: 1, algorithms: [algorithm], stages: [] }];
  const server = createServer(async (request, response) => {
    const send = (body) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/info') return send({ name: 'Tiny', description: null, pipelines });
    if (request.url !== '/process') return send({ status: request.url === '/livez' ? true : ['tiny'] });
    let text = '';
    for await (const chunk of request) text += chunk;
    const { pipeline, source_images } = JSON.parse(text);
    const detections = [];
    for (const { id, url } of source_images) {
      const image = await (await fetch(url)).text();
      if (image === 'hang') for (;;);
      if (image === 'slow') await new Promise((resolve) => setTimeout(resolve, 1_000));
      detections.push({
        source_image_id: id,
        bbox: { x1: 0, y1: 0, x2: image.length, y2: 1 },
        algorithm: { name: 'Tiny box', key: 'tiny_box' },
        timestamp: '2026-11-27T14:38:48.640585',
        classifications: [],
      });
    }
    send({ pipeline, total_time: 0.1, algorithms: {}, source_images, detections });
  });
  server.listen(Number(process.env.PORT), '127.0.0.1');
}
