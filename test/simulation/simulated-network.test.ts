import { describe, expect, it } from 'vitest';
import type { HttpAnswered, HttpFailed, SocketMessage } from '../../src/ports/ports.ts';
import { buildVenue } from '../../src/simulation/build-venue.ts';
import { generatedTape } from '../../src/simulation/generated-tape.ts';
import { SimulatedNetwork } from '../../src/simulation/simulated-network.ts';
import type { SimulatedVenue, VenueInput, VenueOutput } from '../../src/simulation/simulated-venue.ts';
import { VirtualClock } from './virtual-clock.ts';

class PlayVenue implements SimulatedVenue {
  readonly venue = 'play';
  readonly seen: VenueInput[] = [];
  handle(input: VenueInput): readonly VenueOutput[] {
    if (input.type !== 'tick') this.seen.push(input);
    switch (input.type) {
      case 'http-request':
        return [
          { type: 'http-answer', requestId: input.requestId, status: 200, headers: { 'X-A': 'b' }, body: input.path },
        ];
      case 'socket-requested': {
        const { socketId } = input;
        return input.path === '/refuse'
          ? [{ type: 'socket-refuse', socketId, status: 403, body: 'no' }]
          : [
              { type: 'socket-accept', socketId },
              { type: 'socket-text', socketId, text: 'welcome' },
              { type: 'socket-ping', socketId },
            ];
      }
      case 'socket-text': {
        const { socketId, text } = input;
        if (text === 'close me') return [{ type: 'socket-close', socketId, code: 4001, reason: 'asked' }];
        return [{ type: 'socket-text', socketId, text }];
      }
      default:
        return [];
    }
  }
  nextWakeMs(): number {
    return Infinity;
  }
  oracle(): ReturnType<SimulatedVenue['oracle']> {
    return { accounts: new Map(), rateLimitRefusals: 0 };
  }
  inject(): void {}
}

function stage(seed = 1) {
  const clock = new VirtualClock();
  const network = new SimulatedNetwork(clock, { seed, startAtMs: 1_000_000, scale: 10 });
  const venue = new PlayVenue();
  network.addVenue('play.test', venue);
  const answers: (HttpAnswered | HttpFailed)[] = [];
  const frames: SocketMessage[] = [];
  const http = network.openHttp('10.0.0.1', (message) => answers.push(message));
  const socket = network.openSocket('10.0.0.1', (message) => frames.push(message));
  const get = (path = '/x', timeoutMs = 1_000): number =>
    http.send({ method: 'GET', url: `https://play.test${path}`, headers: { 'X-Test': '1' }, timeoutMs });
  const texts = (): string[] => frames.flatMap((message) => (message.type === 'socket-frame' ? [message.text] : []));
  const types = (): string[] => frames.map((message) => message.type);
  return { clock, network, venue, http, socket, answers, frames, get, texts, types };
}

describe('requests', () => {
  it('are answered exactly once, with lower-case header names, after a latency each way', () => {
    const { clock, venue, answers, get } = stage();
    get('/a?b=1');
    clock.pass(9);
    expect(answers).toEqual([]);
    clock.pass(1_000);
    expect(answers).toEqual([{ type: 'http-answered', ref: 1, status: 200, headers: { 'x-a': 'b' }, body: '/a?b=1' }]);
    expect(venue.seen[0]).toMatchObject({ remote: '10.0.0.1', headers: { 'x-test': '1' }, method: 'GET', body: '' });
  });

  it('are provably not sent when the host refuses or does not exist', () => {
    const { clock, network, venue, http, answers, get } = stage();
    network.setConditions('play.test', { refuses: true });
    get();
    http.send({ method: 'GET', url: 'https://nowhere.test/', headers: {}, timeoutMs: 100 });
    clock.pass(200);
    expect(answers).toMatchObject([
      { type: 'http-failed', code: 'refused' },
      { type: 'http-failed', code: 'refused' },
    ]);
    expect(venue.seen).toEqual([]);
  });

  it('end with the deadline when lost on the way, carried out or not', () => {
    const lost = stage();
    lost.network.setConditions('play.test', { requestLossChance: 1 });
    lost.get();
    lost.clock.pass(2_000);
    expect(lost.answers).toMatchObject([{ code: 'timeout' }]);
    expect(lost.venue.seen).toEqual([]);

    const unanswered = stage();
    unanswered.network.setConditions('play.test', { answerLossChance: 1 });
    for (let count = 0; count < 20; count++) unanswered.get();
    unanswered.clock.pass(2_000);
    expect(unanswered.venue.seen).toHaveLength(20);
    expect(
      new Set(unanswered.answers.map((answer) => (answer.type === 'http-failed' ? answer.code : 'answered'))),
    ).toEqual(new Set(['timeout', 'reset']));
    expect(unanswered.answers).toHaveLength(20);
  });

  it('arrive even when their deadline has passed', () => {
    const { clock, venue, answers, get } = stage();
    get('/slow', 1);
    clock.pass(500);
    expect(answers).toMatchObject([{ code: 'timeout' }]);
    expect(venue.seen).toHaveLength(1);
  });

  it('are reset by a cut', () => {
    const { clock, network, venue, answers, get } = stage();
    get();
    network.cut('play.test');
    clock.pass(2_000);
    expect(answers).toMatchObject([{ code: 'reset' }]);
    expect(venue.seen).toEqual([]);
  });
});

describe('sockets', () => {
  it('carry texts in order both ways, whatever latencies are drawn', () => {
    const { clock, socket, texts, types, network, venue } = stage();
    network.setConditions('play.test', { latencyMsMin: 0, latencyMsMax: 100, slowChance: 0.2 });
    const ref = socket.open('wss://play.test/stream', {});
    expect(socket.send(ref, 'too early')).toBe(false);
    clock.pass(2_000);
    const sent = Array.from({ length: 50 }, (_, index) => String(index));
    for (const text of sent) {
      expect(socket.send(ref, text)).toBe(true);
      clock.pass(3);
    }
    clock.pass(2_000);
    expect(types().slice(0, 3)).toEqual(['socket-opened', 'socket-frame', 'socket-heartbeat']);
    expect(texts()).toEqual(['welcome', ...sent]);
    expect(venue.seen.filter((input) => input.type === 'socket-pong')).toHaveLength(1);
  });

  it('end with the venue’s code, a refused handshake with its status', () => {
    const { clock, socket, frames } = stage();
    const ref = socket.open('wss://play.test/stream', {});
    clock.pass(500);
    socket.send(ref, 'close me');
    clock.pass(500);
    expect(frames.at(-1)).toEqual({ type: 'socket-closed', ref, code: 4001, detail: 'asked' });
    expect(socket.send(ref, 'more')).toBe(false);

    const refused = socket.open('wss://play.test/refuse', {});
    clock.pass(500);
    expect(frames.at(-1)).toMatchObject({ type: 'socket-closed', ref: refused, code: 403 });
  });

  it('tell both sides when the client terminates, and when the network is cut', () => {
    const { clock, socket, network, venue, frames } = stage();
    const first = socket.open('wss://play.test/stream', {});
    clock.pass(500);
    socket.terminate(first);
    clock.pass(500);
    expect(frames.at(-1)).toMatchObject({ type: 'socket-closed', ref: first, code: 1006 });
    expect(venue.seen.filter((input) => input.type === 'socket-closed')).toHaveLength(1);

    const second = socket.open('wss://play.test/stream', {});
    clock.pass(500);
    network.cut('play.test');
    clock.pass(500);
    expect(frames.at(-1)).toMatchObject({ type: 'socket-closed', ref: second, code: 1006 });
    expect(venue.seen.filter((input) => input.type === 'socket-closed')).toHaveLength(2);
  });

  it('fall silent for good once a black hole swallowed a part', () => {
    const { clock, socket, network, texts, types } = stage();
    const ref = socket.open('wss://play.test/stream', {});
    clock.pass(500);
    network.setConditions('play.test', { blackHole: true });
    expect(socket.send(ref, 'swallowed')).toBe(true);
    network.setConditions('play.test', { blackHole: false });
    socket.send(ref, 'after');
    clock.pass(5_000);
    expect(texts()).toEqual(['welcome']);
    expect(types()).not.toContain('socket-closed');
  });
});

describe('a restart of the engine', () => {
  it('lets what was sent arrive, answers nothing of it, ends its sockets and goes on with world time', () => {
    const { clock, socket, network, venue, answers, frames, get } = stage();
    const ref = socket.open('wss://play.test/stream', {});
    clock.pass(500);
    get('/order');
    socket.send(ref, 'order');
    const before = frames.length;
    const next = new VirtualClock();
    network.restart(next);
    expect(network.now()).toEqual({ monotonicMs: 500, calendarMs: 1_005_000 });
    next.pass(500);
    clock.pass(500);

    const kinds = venue.seen.map((input) => input.type);
    expect(kinds).toContain('http-request');
    expect(kinds.slice(kinds.indexOf('socket-text'))).toContain('socket-closed');
    expect(answers).toEqual([]);
    expect(frames).toHaveLength(before);
    expect(network.now().monotonicMs).toBe(1_000);
  });

  it('ends an incarnation’s sockets without telling it when its doors are disposed', () => {
    const { clock, socket, venue, frames } = stage();
    socket.open('wss://play.test/stream', {});
    clock.pass(500);
    const before = frames.length;
    socket.dispose();
    clock.pass(500);
    expect(frames).toHaveLength(before);
    expect(venue.seen.at(-1)?.type).toBe('socket-closed');
  });
});

it('plays the same for the same seed', () => {
  const play = (seed: number): unknown => {
    const { clock, get, answers, network } = stage(seed);
    network.setConditions('play.test', { requestLossChance: 0.3, answerLossChance: 0.3 });
    for (let count = 0; count < 40; count++) {
      get(`/${count}`);
      clock.pass(7);
    }
    clock.pass(2_000);
    return answers;
  };
  expect(play(3)).toEqual(play(3));
  expect(play(3)).not.toEqual(play(4));
});

it('drives a built venue: its books move and its markets are served', () => {
  const clock = new VirtualClock();
  const startAtMs = Date.UTC(2026, 0, 5);
  const network = new SimulatedNetwork(clock, { seed: 1, startAtMs, scale: 360 });
  const tape = generatedTape({ seed: 1, bases: ['BTC'], startAtMs, venues: { extended: { series: 'hyperliquid' } } });
  const delays = { takerDelayMs: 50, makerDelayMs: 50, cancelDelayMs: 50, bookIntervalMs: 250 };
  const accounts = [{ name: 'main', balance: 10_000 }];
  const { venue, exchange } = buildVenue(
    { venue: 'extended', bases: ['BTC'], accounts, seed: 1, calendarScale: 360, limits: 'standard', ...delays },
    tape,
  );
  network.addVenue('extended.test', venue);
  const answers: (HttpAnswered | HttpFailed)[] = [];
  const http = network.openHttp('10.0.0.1', (message) => answers.push(message));
  const markBefore = exchange.stats('BTC-USD').markNano;
  network.poke('extended.test', (_venue, at) => exchange.forceTrade('main', 'BTC-USD', 1_000, at));
  http.send({
    method: 'GET',
    url: 'https://extended.test/api/v1/info/markets',
    headers: { 'User-Agent': 'test' },
    timeoutMs: 5_000,
  });
  clock.pass(25_000);
  expect(answers).toMatchObject([{ type: 'http-answered', status: 200 }]);
  expect(exchange.stats('BTC-USD').markNano).not.toBe(markBefore);
  // 25 s at 360 are two and a half hours: two settlements on the position held.
  expect(exchange.fundingPayments('main').map(({ settledAtMs }) => settledAtMs - startAtMs)).toEqual([
    3_600_000, 7_200_000,
  ]);
});
