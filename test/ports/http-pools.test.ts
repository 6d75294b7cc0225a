import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DEFAULT_POOLS, HttpPools } from '../../src/ports/live/http-pools.ts';
import { openHttpPort } from '../../src/ports/live/http-port.ts';
import type { HttpAnswered, HttpFailed, HttpRequest } from '../../src/ports/ports.ts';

/** A venue that keeps every request open until it is told to answer. */
async function slowVenue(): Promise<{
  readonly url: string;
  readonly open: ServerResponse[];
  readonly connections: () => number;
  readonly methods: () => readonly (string | undefined)[];
  arrived(count: number): Promise<void>;
}> {
  const open: ServerResponse[] = [];
  const methods: (string | undefined)[] = [];
  let connections = 0;
  let onArrival: () => void = () => undefined;
  const server: Server = createServer((request, response) => {
    methods.push(request.method);
    open.push(response);
    onArrival();
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    open,
    connections: () => connections,
    methods: () => methods,
    arrived: (count) =>
      new Promise((resolve) => {
        onArrival = () => {
          if (open.length >= count) resolve();
        };
        onArrival();
      }),
  };
}

const request = (url: string, change: Partial<HttpRequest> = {}): HttpRequest => ({
  ...{ method: 'GET', url, headers: {}, timeoutMs: 60_000 },
  ...change,
});

const small = { ...DEFAULT_POOLS, standardConnections: 2, premiumConnections: 4, softLimit: 2, burstLimit: 4 };

describe('the connections of a thread', () => {
  it('hold back what is above the soft limit once a burst is over, but never what changes something', async () => {
    const venue = await slowVenue();
    let nowMs = 0;
    const pools = new HttpPools(small, () => nowMs);
    onTestFinished(() => pools.destroy());
    const heard: (HttpAnswered | HttpFailed)[] = [];
    const port = openHttpPort((message) => heard.push(message), undefined, pools);
    for (let count = 0; count < 6; count++) port.send(request(venue.url));
    // Two as usual, two in the burst, two wait.
    await venue.arrived(4);
    expect(pools.health()).toMatchObject({ phase: 'burst', bursts: 1, inFlight: 4, waiting: 2 });
    nowMs = small.burstMs;
    port.send(request(venue.url, { method: 'POST', body: '{}', mutates: true }));
    expect(pools.health()).toMatchObject({ phase: 'shrinking', inFlight: 5, waiting: 2 });
    for (let answered = 0; answered < 3; answered++) venue.open[answered]?.end('ok');
    await new Promise<void>((resolve) => {
      const look = (): void => (heard.length >= 3 ? resolve() : void setImmediate(look));
      look();
    });
    // Three of five are done: two places are taken, so still nobody enters.
    expect(pools.health()).toMatchObject({ inFlight: 2, waiting: 2 });
    port.dispose();
  });

  it('send an order while reads that stall hold every usual connection, and else on the one that reads keep warm', async () => {
    const venue = await slowVenue();
    const pools = new HttpPools({ ...small, standardConnections: 1, softLimit: 20, burstLimit: 20 });
    onTestFinished(() => pools.destroy());
    let onAnswer: () => void = () => undefined;
    const port = openHttpPort(() => onAnswer(), undefined, pools);
    onTestFinished(() => port.dispose());
    const read = request(venue.url);
    const order = request(venue.url, { method: 'POST', body: '{}', mutates: true });
    for (const [index, each] of [read, order].entries()) {
      const answered = new Promise<void>((resolve) => (onAnswer = resolve));
      port.send(each);
      await venue.arrived(index + 1);
      venue.open[index]?.end('ok');
      await answered;
    }
    expect(venue.connections()).toBe(1);
    // One that stalls on the only usual connection, and one behind it.
    port.send(read);
    port.send(read);
    await venue.arrived(3);
    port.send(order);
    await venue.arrived(4);
    expect(venue.methods()).toEqual(['GET', 'POST', 'GET', 'POST']);
    expect(venue.connections()).toBe(2);
  });

  it('give up a request that never found a place at its deadline, as one that never left', async () => {
    const venue = await slowVenue();
    const pools = new HttpPools({ ...small, softLimit: 1, burstLimit: 1 });
    onTestFinished(() => pools.destroy());
    const outcome = new Promise<HttpAnswered | HttpFailed>((resolve) => {
      const port = openHttpPort(resolve, undefined, pools);
      onTestFinished(() => port.dispose());
      port.send(request(venue.url));
      port.send(request(venue.url, { timeoutMs: 30 }));
    });
    expect(await outcome).toMatchObject({ type: 'http-failed', ref: 2, code: 'refused' });
    expect(venue.open.length).toBeLessThanOrEqual(1);
  });

  it('are kept for the next life of a connector, and change with the profile', async () => {
    const venue = await slowVenue();
    const pools = new HttpPools({ ...small, standardConnections: 1, premiumConnections: 1 });
    onTestFinished(() => pools.destroy());
    const ask = async (): Promise<void> => {
      const before = venue.open.length;
      await new Promise<void>((resolve) => {
        const port = openHttpPort(
          () => {
            port.dispose();
            resolve();
          },
          undefined,
          pools,
        );
        port.send(request(venue.url));
        void venue.arrived(before + 1).then(() => venue.open[before]?.end('ok'));
      });
    };
    await ask();
    await ask();
    expect(venue.connections()).toBe(1);
    pools.setProfile('premium');
    await ask();
    expect(venue.connections()).toBe(2);
    expect(pools.health().profile).toBe('premium');
  });
});
