import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Images by file name. */
export type ImageSet = ReadonlyMap<string, Buffer>;

/** A small web server for the images of the demo; a real Antenna hands out links to object storage. */
export async function serveImages(images: ImageSet): Promise<{ origin: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const image = images.get(decodeURIComponent((request.url ?? '').slice(1)));
    if (image)
      response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': image.length }).end(image);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}
