import type { AddressInfo } from 'node:net';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { openSocketPort } from '../../src/ports/live/socket-port.ts';
import type { SocketMessage, SocketPort } from '../../src/ports/ports.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(
  onConnection: (socket: WebSocket, headers: NodeJS.Dict<string | string[]>) => void,
): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  server.on('connection', (socket, request) => onConnection(socket, request.headers));
  closers.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function open(): { port: SocketPort; heard: SocketMessage[] } {
  const heard: SocketMessage[] = [];
  const port = openSocketPort(
    (message) => heard.push(message),
    () => 42,
  );
  closers.push(() => port.dispose());
  return { port, heard };
}

/** Waits for an effect: as long as the test may take, not the second that is usual. */
async function eventually(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 100_000, interval: 5 });
}

describe('socket port', () => {
  it('opens with the headers given, carries text both ways and says when it ends', async () => {
    const url = await serve((socket, headers) => {
      socket.on('message', (data) => {
        socket.send(`${headers['x-api-key']} ${data.toString()}`);
        socket.close(1008, 'enough');
      });
    });
    const { port, heard } = open();
    const ref = port.open(url, { 'X-Api-Key': 'key' });
    expect(port.send(ref, 'too early')).toBe(false);
    await eventually(() => expect(heard).toContainEqual({ type: 'socket-opened', ref }));
    expect(port.send(ref, 'hello')).toBe(true);
    await eventually(() =>
      expect(heard.slice(1)).toEqual([
        { type: 'socket-frame', ref, text: 'key hello', receivedAtMonotonicMs: 42 },
        { type: 'socket-closed', ref, code: 1008, detail: 'enough' },
      ]),
    );
    expect(port.send(ref, 'late')).toBe(false);
  });

  it('hears the heartbeats of the venue', async () => {
    const url = await serve((socket) => socket.ping());
    const { port, heard } = open();
    const ref = port.open(url, {});
    await eventually(() => expect(heard).toContainEqual({ type: 'socket-heartbeat', ref }));
  });

  it('closes on a binary frame and on one beyond its bound, and tells it once', async () => {
    const url = await serve((socket, headers) =>
      socket.send(headers['x-kind'] === 'binary' ? Buffer.from([1, 2]) : 'x'.repeat(5 * 1024 * 1024)),
    );
    const { port, heard } = open();
    const binary = port.open(url, { 'X-Kind': 'binary' });
    const large = port.open(url, { 'X-Kind': 'large' });
    await eventually(() =>
      expect(
        heard
          .filter((message) => message.type === 'socket-closed')
          .map((message) => message.ref)
          .sort((one, other) => one - other),
      ).toEqual([binary, large]),
    );
    expect(heard.some((message) => message.type === 'socket-frame')).toBe(false);
  });

  it('gives the HTTP status of a refused handshake', async () => {
    const server = createServer();
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n'));
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    closers.push(() => server.close());
    const { port, heard } = open();
    const ref = port.open(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {});
    await eventually(() =>
      expect(heard).toEqual([{ type: 'socket-closed', ref, code: 401, detail: 'handshake answered 401' }]),
    );
  });

  it('cuts at once when told, without waiting for the other side', async () => {
    const url = await serve(() => undefined);
    const { port, heard } = open();
    const ref = port.open(url, {});
    await eventually(() => expect(heard).toHaveLength(1));
    port.terminate(ref);
    expect(heard[1]).toMatchObject({ type: 'socket-closed', ref });
  });
});
