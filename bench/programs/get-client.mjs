// Prints the CPU and wall-clock microseconds of one request:
// `get-client.mjs undici|static|expiring|per-request URL REQUESTS CONCURRENCY`; the last three are the SDK with a fixed token, with
// a provider of tokens that hold for an hour, and with one that is asked for every request.
import { Agent, request } from 'undici';
import { AntennaClient } from 'antenna-sdk';

const [way, url, requestsText, concurrencyText] = process.argv.slice(2);
const requests = Number(requestsText);
const concurrency = Number(concurrencyText);
const token = '0123456789abcdef0123456789abcdef01234567';

function bare() {
  const dispatcher = new Agent({ connections: 64 });
  const headers = { authorization: `Token ${token}`, accept: 'application/json' };
  return {
    get: async () => {
      const { body } = await request(`${url}/api/v2/users/me/`, { dispatcher, headers });
      return body.json();
    },
    close: () => dispatcher.close(),
  };
}

const CREDENTIALS = {
  static: { token },
  expiring: {
    tokenProvider: async () => ({ token, expiresAt: Date.now() + 3_600_000 }),
    tokenScheme: 'Token',
  },
  'per-request': { tokenProvider: async () => token, tokenScheme: 'Token' },
};

function sdk() {
  // Requests are measured, so none is answered from what is kept.
  const client = new AntennaClient({ baseUrl: url, cache: false, ...CREDENTIALS[way] });
  return { get: () => client.auth.me(), close: () => client.close() };
}

const { get, close } = way === 'undici' ? bare() : sdk();

async function run(count) {
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      const me = await get();
      if (me.id !== 4) throw new Error('unexpected answer');
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
}

await run(requests / 2);
const cpu = process.cpuUsage();
const start = performance.now();
await run(requests);
const wallUs = ((performance.now() - start) * 1000) / requests;
const used = process.cpuUsage(cpu);
await close();
console.log(JSON.stringify({ cpuUs: (used.user + used.system) / requests, wallUs }));
