// One process that holds both builds, as when a CommonJS dependency uses the package too: `instanceof` holds across them.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as esm from 'antenna-sdk';

const cjs = createRequire(import.meta.url)('antenna-sdk');
assert.notEqual(esm.AntennaError, cjs.AntennaError, 'these are meant to be two copies');

/** The error of a call that is answered with a status, from one copy. */
async function errorOf({ AntennaClient }, status) {
  const client = new AntennaClient({
    baseUrl: 'http://localhost',
    token: '0123456789abcdef0123456789abcdef01234567',
    retries: 0,
    fetch: async () => Response.json({ detail: 'no' }, { status }),
  });
  return client.auth.me().then(
    () => assert.fail('answered'),
    (error) => error,
  );
}

function configErrorOf({ AntennaClient }) {
  try {
    new AntennaClient({ baseUrl: 'no address' });
  } catch (error) {
    return error;
  }
  return assert.fail('accepted');
}

for (const [one, other] of [
  [esm, cjs],
  [cjs, esm],
]) {
  const refused = await errorOf(one, 401);
  assert.ok(refused instanceof other.AuthenticationError, String(refused));
  assert.ok(refused instanceof other.AntennaApiError);
  assert.ok(refused instanceof other.AntennaError);
  assert.ok(!(refused instanceof other.PermissionDeniedError));
  assert.ok(!(refused instanceof other.AntennaConfigError));

  const wrong = configErrorOf(one);
  assert.ok(wrong instanceof other.AntennaConfigError);
  assert.ok(!(wrong instanceof other.AntennaApiError));
  assert.ok(!(new Error('another') instanceof other.AntennaError));
}
