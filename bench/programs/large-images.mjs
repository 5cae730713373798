// Answers every request with an image of 60 MB; prints its address.
import { createServer } from 'node:http';

const image = Buffer.alloc(60 * 1024 * 1024, 1);
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': image.length }).end(image);
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
