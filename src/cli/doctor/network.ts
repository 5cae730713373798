import { lookup } from 'node:dns/promises';
import { connect as connectTls } from 'node:tls';
import { Agent, EnvHttpProxyAgent, ProxyAgent, request, type Dispatcher } from 'undici';
import { formatDuration } from '../durations.js';
import { codeOf, fail, ok, skip, warn, type Check } from './check.js';

const TIMEOUT_MS = 10_000;
/** Time stamps of results this far off are wrong on the server; leases are judged by the monotonic clock and do not mind. */
const CLOCK_LIMIT_MS = 5_000;
/** A certificate that ends within two weeks is worth a word. */
const SOON_MS = 14 * 86_400_000;

/** The way to the server: name, certificate, proxy, clock. */
export async function checkNetwork(address: string, proxy: string | undefined): Promise<readonly Check[]> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    return [
      fail(
        'address',
        'the address of the server is no URL',
        'give it whole: --url https://antenna.example.org',
      ),
    ];
  const checks: Check[] = [proxyCheck(proxy), ...(proxy === undefined ? await checkDirect(url) : [])];
  if (checks.some(({ status }) => status === 'fail')) return checks;
  return [...checks, await checkAnswer(url, proxy)];
}

function proxyCheck(proxy: string | undefined): Check {
  if (proxy === undefined) return ok('proxy', 'none');
  // Without its user and password.
  const shown =
    proxy === 'env'
      ? 'from HTTPS_PROXY, HTTP_PROXY and NO_PROXY'
      : URL.canParse(proxy)
        ? new URL(proxy).host
        : 'set';
  return ok('proxy', shown);
}

async function checkDirect(url: URL): Promise<readonly Check[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  try {
    const found = await lookup(host, { all: true });
    const name = ok('name', `${host} is ${found.map(({ address }) => address).join(', ')}`);
    return [
      name,
      url.protocol === 'https:' ? await checkTls(host, Number(url.port) || 443) : skip('tls', 'plain http'),
    ];
  } catch (error) {
    const fix =
      'look for a misspelling in the address; check this machine’s DNS (/etc/resolv.conf) or set HTTPS_PROXY';
    return [fail('name', `${host} cannot be resolved (${codeOf(error)})`, fix, { code: 'connection' })];
  }
}

function checkTls(host: string, port: number): Promise<Check> {
  return new Promise((resolve) => {
    const done = (check: Check): void => {
      socket.destroy();
      resolve(check);
    };
    const socket = connectTls(
      { host, port, servername: /^[\d.:]+$/.test(host) ? undefined : host, timeout: TIMEOUT_MS },
      () => {
        const { valid_to } = socket.getPeerCertificate();
        const leftMs = Date.parse(valid_to) - Date.now();
        const detail = `${socket.getProtocol() ?? 'TLS'}, certificate until ${valid_to}`;
        done(
          leftMs < SOON_MS
            ? warn('tls', detail, 'tell whoever runs the server to renew it')
            : ok('tls', detail),
        );
      },
    );
    socket.once('timeout', () => {
      done(
        fail(
          'tls',
          `no answer on port ${port} within 10 s`,
          'a firewall on the way may drop it: ask for port 443 to be opened, or set HTTPS_PROXY',
          { code: 'connection' },
        ),
      );
    });
    socket.once('error', (error) => {
      done(
        fail('tls', `the connection failed (${codeOf(error)})`, tlsFix(codeOf(error)), {
          code: 'connection',
        }),
      );
    });
  });
}

function tlsFix(code: string): string {
  if (code === 'CERT_HAS_EXPIRED')
    return 'the server’s certificate is over, or this machine’s clock is wrong';
  if (/CERT|SELF_SIGNED|VERIFY|ISSUER/.test(code))
    return 'if your site signs certificates itself, set NODE_EXTRA_CA_CERTS to the file with its root certificate';
  return 'check the address and port, and that nothing on the way drops the connection';
}

/** Whether anything answers, and what time it has. */
async function checkAnswer(url: URL, proxy: string | undefined): Promise<Check> {
  const dispatcher = dispatcherOf(proxy);
  try {
    const startedAt = Date.now();
    const target = new URL('/api/v2/projects/?limit=1', url);
    const { statusCode, headers, body } = await request(target, { dispatcher, headersTimeout: TIMEOUT_MS });
    await body.dump();
    const date = typeof headers['date'] === 'string' ? Date.parse(headers['date']) : Number.NaN;
    if (Number.isNaN(date))
      return skip('clock', `the server answers (${statusCode}) and does not say what time it has`);
    // The header has whole seconds, and was written somewhere between sending and now.
    const behindMs = date - (startedAt + Date.now()) / 2;
    const offMs = Math.max(0, Math.abs(behindMs + 500) - 500);
    if (offMs <= CLOCK_LIMIT_MS)
      return ok('clock', `within ${formatDuration(Math.max(1_000, offMs))} of the server’s`);
    const detail = `this machine’s clock is ${formatDuration(offMs)} ${behindMs > 0 ? 'behind' : 'ahead of'} the server’s`;
    return warn(
      'clock',
      detail,
      'turn on time synchronisation (timedatectl set-ntp true): results carry this machine’s time',
    );
  } catch (error) {
    const fix = 'check the address and port, that the server runs, and that no firewall is between';
    return fail('answer', `the server does not answer (${codeOf(error)})`, fix, { code: 'connection' });
  } finally {
    await dispatcher.close();
  }
}

function dispatcherOf(proxy: string | undefined): Dispatcher {
  const options = { connect: { timeout: TIMEOUT_MS } };
  if (proxy === undefined) return new Agent(options);
  return proxy === 'env' ? new EnvHttpProxyAgent(options) : new ProxyAgent({ uri: proxy, ...options });
}
