// Answers every request with a small user; prints its address.
import { createServer } from 'node:http';

const body = JSON.stringify({
  id: 4,
  name: '',
  details: 'https://antenna.example/api/v2/users/4/',
  image: null,
  identifications: [],
  email: 'super@example.org',
  user_permissions: [],
});
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
