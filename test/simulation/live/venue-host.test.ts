import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startVenueServer } from '../../../src/simulation/live/venue-host.ts';
import type { VenueServer } from '../../../src/simulation/live/venue-host.ts';
import type { SimulatedVenue, VenueInput, VenueOutput } from '../../../src/simulation/simulated-venue.ts';

/** A venue that answers what its paths and texts ask for. */
class PlayVenue implements SimulatedVenue {
  readonly venue = 'play';
  readonly seen: VenueInput[] = [];
  wakeMs = Infinity;
  #held: number | undefined;

  handle(input: VenueInput): readonly VenueOutput[] {
    this.seen.push(input);
    switch (input.type) {
      case 'http-request':
        if (input.path === '/hold') this.#held = input.requestId;
        else {
          const body = `${input.method} ${input.path} ${input.headers['x-test'] ?? ''} ${input.body}`;
          return [
            { type: 'http-answer', requestId: input.requestId, status: 201, headers: { 'x-answer': 'yes' }, body },
          ];
        }
        this.wakeMs = performance.now() + 5;
        return [];
      case 'tick': {
        const requestId = this.#held;
        this.#held = undefined;
        this.wakeMs = Infinity;
        return requestId === undefined
          ? []
          : [{ type: 'http-answer', requestId, status: 200, headers: {}, body: 'at last' }];
      }
      case 'socket-requested':
        return input.path === '/refuse'
          ? [{ type: 'socket-refuse', socketId: input.socketId, status: 403, body: 'no' }]
          : [
              { type: 'socket-accept', socketId: input.socketId },
              { type: 'socket-text', socketId: input.socketId, text: 'welcome' },
            ];
      case 'socket-text': {
        const { socketId } = input;
        if (input.text === 'ping me') return [{ type: 'socket-ping', socketId }];
        if (input.text === 'close me') return [{ type: 'socket-close', socketId, code: 4001, reason: 'as asked' }];
        return [{ type: 'socket-text', socketId, text: input.text.toUpperCase() }];
      }
      default:
        return [];
    }
  }

  nextWakeMs(): number {
    return this.wakeMs;
  }

  oracle(): ReturnType<SimulatedVenue['oracle']> {
    return { accounts: new Map(), rateLimitRefusals: 0 };
  }

  inject(): void {
    this.wakeMs = 0;
  }
}

describe('a hosted venue', () => {
  let server: VenueServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  async function host(): Promise<{ readonly venue: PlayVenue; readonly server: VenueServer }> {
    const venue = new PlayVenue();
    server = await startVenueServer({
      venue,
      port: 0,
      now: () => ({ monotonicMs: performance.now(), calendarMs: 1_000 }),
    });
    return { venue, server };
  }

  it('answers HTTP requests with the venue’s answer', async () => {
    const hosted = await host();
    const answer = await fetch(`${hosted.server.url}/a/b?c=1`, {
      method: 'POST',
      headers: { 'X-Test': 'one' },
      body: '{"d":2}',
    });
    expect([answer.status, answer.headers.get('x-answer'), await answer.text()]).toEqual([
      201,
      'yes',
      'POST /a/b?c=1 one {"d":2}',
    ]);
  });

  it('ticks when the venue asked to be woken, so that a held answer leaves', async () => {
    const hosted = await host();
    expect(await (await fetch(`${hosted.server.url}/hold`)).text()).toBe('at last');
  });

  it('refuses bodies and headers without measure', async () => {
    const hosted = await host();
    const large = await fetch(`${hosted.server.url}/x`, { method: 'POST', body: 'a'.repeat(70_000) });
    expect(large.status).toBe(413);
    const long = await fetch(`${hosted.server.url}/x`, { headers: { 'x-test': 'a'.repeat(20_000) } });
    expect(long.status).toBe(431);
    expect(hosted.venue.seen.filter((input) => input.type === 'http-request')).toEqual([]);
  });

  it('carries text frames, pings and the venue’s close', async () => {
    const hosted = await host();
    const socket = new WebSocket(`${hosted.server.streamUrl}/stream`);
    const texts: string[] = [];
    const closed = new Promise((resolve) => socket.once('close', (code, reason) => resolve([code, reason.toString()])));
    const pinged = new Promise<void>((resolve) => socket.once('ping', () => resolve()));
    const answered = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        texts.push(data.toString());
        if (data.toString() === 'welcome') socket.send('hello');
        else resolve();
      });
    });
    await answered;
    socket.send('ping me');
    await pinged;
    socket.send('close me');
    expect(await closed).toEqual([4001, 'as asked']);
    expect(texts).toEqual(['welcome', 'HELLO']);
    expect(socket.extensions).toBe('');
    expect(hosted.venue.seen.some((input) => input.type === 'socket-pong')).toBe(true);
  });

  it('answers a refused handshake with the venue’s status', async () => {
    const hosted = await host();
    const socket = new WebSocket(`${hosted.server.streamUrl}/refuse`);
    const status = await new Promise((resolve) =>
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode)),
    );
    expect(status).toBe(403);
    socket.on('error', () => undefined);
    socket.terminate();
  });

  it('tells the venue of a client that went away', async () => {
    const hosted = await host();
    const socket = new WebSocket(`${hosted.server.streamUrl}/stream`);
    await new Promise((resolve) => socket.once('message', resolve));
    const told = new Promise<void>((resolve) => {
      const handle = hosted.venue.handle.bind(hosted.venue);
      hosted.venue.handle = (input) => {
        if (input.type === 'socket-closed') resolve();
        return handle(input);
      };
    });
    socket.terminate();
    await told;
  });

  it('frees its port when closed', async () => {
    const hosted = await host();
    await hosted.server.close();
    await expect(fetch(hosted.server.url)).rejects.toThrow('fetch failed');
  });
});
