import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openHttpPort } from '../../src/ports/live/http-port.ts';
import type { HttpAnswered, HttpFailed, HttpRequest } from '../../src/ports/ports.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function ask(request: HttpRequest): Promise<HttpAnswered | HttpFailed> {
  return await new Promise((resolve) => {
    const port = openHttpPort(resolve);
    closers.push(() => port.dispose());
    port.send(request);
  });
}

const get = (url: string, timeoutMs = 5_000): HttpRequest => ({
  method: 'GET',
  url,
  headers: { 'user-agent': 'tandem' },
  timeoutMs,
});

describe('http port', () => {
  it('delivers status, headers and body of any answer', async () => {
    const url = await listen(
      createServer((request, response) => {
        response.writeHead(429, { 'retry-after': '7' });
        response.end(`${request.method} ${request.url} ${request.headers['user-agent']}`);
      }),
    );
    expect(await ask(get(`${url}/a?b=1`))).toMatchObject({
      type: 'http-answered',
      status: 429,
      body: 'GET /a?b=1 tandem',
      headers: { 'retry-after': '7' },
    });
  });

  it('says refused when nothing was sent', async () => {
    const server = createServer();
    const url = await listen(server);
    server.close();
    expect(await ask(get(url))).toMatchObject({ type: 'http-failed', code: 'refused' });
  });

  it('says reset when the connection dies after the request left, and never asks twice', async () => {
    let requests = 0;
    const url = await listen(
      createServer((request) => {
        requests += 1;
        request.socket.destroy();
      }),
    );
    expect(await ask(get(url))).toMatchObject({ type: 'http-failed', code: 'reset' });
    expect(requests).toBe(1);
  });

  it('gives up at its own deadline, also in the middle of a body', async () => {
    const url = await listen(
      createServer((_request, response) => {
        response.writeHead(200);
        response.write('begun');
      }),
    );
    expect(await ask(get(url, 100))).toMatchObject({ type: 'http-failed', code: 'timeout' });
  });

  it('refuses a body beyond its bound', async () => {
    const url = await listen(
      createServer((_request, response) => {
        response.end(Buffer.alloc(9 * 1024 * 1024, 32));
      }),
    );
    expect(await ask(get(url))).toMatchObject({ type: 'http-failed', code: 'unreadable' });
  });
});
