import { createServer, request, type IncomingHttpHeaders } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** A proxy that carries tunnels, as HTTP proxies do for https, and forwards what it is asked for by its whole address. */
export interface TunnelProxy {
  /** Host and port. */
  readonly address: string;
  /** What it was asked for: host and port of a tunnel's other end or a whole address, and the headers for the proxy itself. */
  readonly seen: { readonly url: string; readonly headers: IncomingHttpHeaders }[];
  /** From now on every tunnel is refused. */
  refuse(): void;
  close(): void;
}

export async function tunnelProxy(): Promise<TunnelProxy> {
  const seen: TunnelProxy['seen'] = [];
  let refuses = false;
  const proxy = createServer((incoming, response) => {
    seen.push({ url: incoming.url ?? '', headers: incoming.headers });
    const forwarded = request(incoming.url ?? '', { method: incoming.method ?? 'GET' }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(forwarded);
  });
  proxy.on('connect', (tunnel, socket: Socket, head: Buffer) => {
    seen.push({ url: tunnel.url ?? '', headers: tunnel.headers });
    if (refuses) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host = '', port = ''] = (tunnel.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [upstream, socket]) {
      end.on('error', () => undefined);
      end.on('close', () => {
        upstream.destroy();
        socket.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    seen,
    refuse() {
      refuses = true;
    },
    close() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}
