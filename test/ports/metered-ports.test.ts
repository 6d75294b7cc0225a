import { expect, it } from 'vitest';
import { meteredHttp, meteredSocket, venueOf } from '../../src/ports/metered-ports.ts';
import type { HttpAnswered, HttpFailed, SocketMessage } from '../../src/ports/ports.ts';
import { BoardRecorder, newBoard } from '../../src/runtime/metrics-board.ts';
import { mergeThreads } from '../../src/observe/series.ts';

const REQUEST = { method: 'GET', url: 'https://venue.test/x', headers: {}, timeoutMs: 1_000 } as const;

function meter() {
  const { buffer, reader } = newBoard('io-0');
  let nowMs = 0;
  const metrics = new BoardRecorder(buffer, () => nowMs);
  return {
    meter: { metrics, venue: 'bybit', monotonicMs: () => nowMs },
    pass: (ms: number) => void (nowMs += ms),
    series: () => mergeThreads([reader.read()]),
  };
}

it('times every call by its endpoint, whatever came of it, and counts what failed by its code', () => {
  const { meter: given, pass, series } = meter();
  const delivered: (HttpAnswered | HttpFailed)[] = [];
  let answer: (message: HttpAnswered | HttpFailed) => void = () => expect.fail('not opened');
  let ref = 0;
  const door = meteredHttp(
    given,
    (message) => delivered.push(message),
    (deliver) => {
      answer = deliver;
      return { send: () => (ref += 1), dispose: () => undefined };
    },
  );
  const ok = door.send(REQUEST, 'orders');
  const bad = door.send(REQUEST, 'orders');
  const lost = door.send(REQUEST, 'time');
  pass(30);
  answer({ type: 'http-answered', ref: ok, status: 200, headers: {}, body: '' });
  pass(10);
  answer({ type: 'http-answered', ref: bad, status: 429, headers: {}, body: '' });
  answer({ type: 'http-failed', ref: lost, code: 'timeout', detail: 'none' });
  expect(delivered.map((message) => message.ref)).toEqual([ok, bad, lost]);
  const all = series();
  expect(all.get('api_call_latency{endpoint="orders",venue="bybit"}')).toMatchObject({ count: 2, sum: 70, max: 40 });
  expect(all.get('api_call_latency{endpoint="time",venue="bybit"}')).toMatchObject({ count: 1, sum: 40 });
  expect(all.get('api_errors_total{code="429",venue="bybit"}')).toMatchObject({ value: 1 });
  expect(all.get('api_errors_total{code="timeout",venue="bybit"}')).toMatchObject({ value: 1 });
});

it('counts frames by channel and direction, those of all symbols together, and not what was not sent', () => {
  const { meter: given, series } = meter();
  const delivered: SocketMessage[] = [];
  let arrive: (message: SocketMessage) => void = () => expect.fail('not opened');
  let ref = 0;
  let isOpen = true;
  const door = meteredSocket(
    given,
    (message) => delivered.push(message),
    (deliver) => {
      arrive = deliver;
      return { open: () => (ref += 1), send: () => isOpen, terminate: () => undefined, dispose: () => undefined };
    },
  );
  const btc = door.open('wss://venue.test', {}, 'book:BTC');
  const eth = door.open('wss://venue.test', {}, 'book:ETH');
  for (const one of [btc, eth, eth]) arrive({ type: 'socket-frame', ref: one, text: '{}', receivedAtMonotonicMs: 0 });
  expect(door.send(btc, 'hello')).toBe(true);
  isOpen = false;
  expect(door.send(btc, 'hello')).toBe(false);
  expect(delivered).toHaveLength(3);
  const all = series();
  expect(all.get('websocket_messages_total{channel="book",direction="in",venue="bybit"}')).toMatchObject({ value: 3 });
  expect(all.get('websocket_messages_total{channel="book",direction="out",venue="bybit"}')).toMatchObject({ value: 1 });
});

it('knows the venue of a connector by its path', () => {
  expect(venueOf('connector/lighter:main')).toBe('lighter');
});
