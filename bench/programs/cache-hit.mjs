// Prints the microseconds of one hit in the cache, by round; the ways take turns.
import { AntennaClient } from 'antenna-sdk';

const ROUNDS = 21;
const CALLS = 20_000;
const token = '0123456789abcdef0123456789abcdef01234567';
const project = { id: 1, name: 'Meadow', settings: { a: 1 } };
const options = {
  baseUrl: 'https://antenna.invalid',
  fetch: async () => Response.json(project),
};
const fixed = new AntennaClient({ ...options, token });
const expiring = new AntennaClient({
  ...options,
  tokenProvider: async () => ({ token, expiresAt: Date.now() + 3_600_000 }),
  tokenScheme: 'Token',
});

const map = new Map([['projects.get:1', project]]);
const ways = {
  fixedUs: () => fixed.projects.get(1),
  expiringUs: () => expiring.projects.get(1),
  mapUs: async () => map.get(`projects.get:${1}`),
};
const measured = {};
for (let round = -3; round < ROUNDS; round += 1) {
  for (const [name, call] of Object.entries(ways)) {
    const start = performance.now();
    for (let left = CALLS; left > 0; left -= 1)
      if ((await call()).id !== 1) throw new Error('unexpected answer');
    if (round >= 0) (measured[name] ??= []).push(((performance.now() - start) * 1000) / CALLS);
  }
}
const { misses } = fixed.cache.stats();
if (misses !== 1) throw new Error(`${misses} calls went to the server: no hit was measured`);
console.log(JSON.stringify(measured));
