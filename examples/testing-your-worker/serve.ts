// An Antenna for workers in other languages: npx tsx examples/testing-your-worker/serve.ts [seed.json] [port]
import { fileURLToPath } from 'node:url';
import { serveContractServer } from 'antenna-sdk/testing';

const [seed = fileURLToPath(new URL('seed.json', import.meta.url)), port = '0'] = process.argv.slice(2);
const served = await serveContractServer(seed, { port: Number(port) });

console.log(`Antenna (${served.server.dialect}) at ${served.url}`);
for (const [email, token] of Object.entries(served.tokens)) console.log(`user ${email}: Token ${token}`);
for (const [name, keys] of Object.entries(served.keys))
  for (const key of keys) console.log(`service ${name}: Api-Key ${key}`);
for (const [name, job] of Object.entries(served.jobs))
  console.log(`job "${name}": id ${job.id}, ${job.status}`);

process.once('SIGINT', () => {
  for (const [name, job] of Object.entries(served.jobs)) {
    console.log(`job "${name}": ${job.status} ${JSON.stringify(job.counts)}`);
  }
  void served.close();
});
