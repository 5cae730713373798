import { AntennaClient, clientCredentials, silentLogger } from 'antenna-sdk';
import { example, runIfStarted } from '../local-antenna/example.js';
import { startGateway } from './gateway.js';
import { startIssuer } from './issuer.js';

const IMAGE_MS = 150;
const TOKEN_LIFETIME_SECONDS = 1;
const ACCOUNT = { id: 'example-worker', secret: 'a secret for the example only' };

export const run = example(async ({ antenna, print, atEnd, work }) => {
  const key = antenna.project.service({ name: 'example-worker' }).key();
  const issuer = await startIssuer(ACCOUNT, TOKEN_LIFETIME_SECONDS);
  atEnd(() => issuer.close());
  const gateway = await startGateway(antenna.server, key.value, (token) => issuer.knows(token));
  atEnd(() => gateway.close());

  // The token does not tell which kind of server is behind the gateway, so the dialect is said.
  const client = new AntennaClient({
    baseUrl: gateway.url,
    dialect: 'api-key',
    tokenProvider: clientCredentials({
      issuer: issuer.url,
      clientId: ACCOUNT.id,
      clientSecret: ACCOUNT.secret,
    }),
    logger: silentLogger,
  });
  atEnd(() => client.close());

  const report = await work(client, { imageMs: IMAGE_MS });
  const { passed, refused } = gateway.counts;
  const { issued } = issuer.counts;
  print(`${passed} requests passed the gateway with ${issued} tokens; ${refused} refused`);
  return { ...report, refused, issued, passed };
});

await runIfStarted(import.meta.url, run);
