// The contract server and its image host in a process of their own: `contract-queue.mjs '{"tasks":1000}'`; prints `{ url, key }`.
import { createContractServer, createImageHost } from 'antenna-sdk/testing';
import { algorithms } from './bench-pipeline.mjs';

const { tasks } = JSON.parse(process.argv[2] ?? '{}');
const limits = { requestLimit: 10, ledgerLimit: 10, resultLimit: 10 };
const server = createContractServer({ dialect: 'api-key', ...limits });
const images = createImageHost({ requestLimit: 10 });
const [{ origin: url }] = await Promise.all([server.listen(), images.listen()]);
const picture = images.generate({ width: 8, height: 8, insects: 0 }).url;
const project = server.project({ name: 'Bench' });
const key = project.service({ name: 'bench' }).key().value;
project.job({
  pipeline: project.pipeline({ slug: 'bench', algorithms }),
  images: Array.from({ length: tasks }, (_, index) => `${picture}?n=${index}`),
});
console.log(JSON.stringify({ url, key }));
