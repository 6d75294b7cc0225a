import { describe, expect, it } from 'vitest';
import { formatTrace, formatTraceList } from '../../src/cli/trace-text.ts';

const span = (thread: string, path: string, type: string, from: string, times: readonly [number, number, number]) => ({
  thread,
  path,
  type,
  from,
  queuedAtMs: times[0],
  startedAtMs: times[1],
  endedAtMs: times[2],
});
const mark = (thread: string, path: string, step: string, about: string, atMs: number) => {
  return { thread, path, step, about, atMs };
};

describe('a trace as text', () => {
  it('has one line per hop in order of time, with marks behind the handling they are part of', () => {
    const trace = {
      traceId: 7,
      beganAtMs: 100,
      durationMs: 9,
      names: ['4242'],
      threads: ['io-0', 'trading-0'],
      spans: [
        span('io-0', 'connector/lighter:main', 'socket-frame', '$port', [100, 100.1, 100.4]),
        span('trading-0', 'strategy', 'book-changed', 'connector/lighter:main', [100.3, 100.5, 101]),
        span('io-0', 'connector/lighter:main', 'place-order', 'position/BTC', [104, 106, 109]),
      ],
      marks: [
        mark('trading-0', 'position/BTC', 'book-received', 'extended', 100.45),
        mark('io-0', 'connector/lighter:main', 'gate-passed', '4242', 107),
        mark('io-0', 'connector/lighter:main', 'socket-send', '', 108.5),
      ],
    };
    expect(formatTrace(trace)).toEqual([
      'trace 7  4242  9.000 ms on io-0, trading-0',
      '     at ms  queue ms handler ms  thread     actor                   what',
      '     0.100     0.100      0.300  io-0       connector/lighter:main  socket-frame from outside',
      '     0.450                       trading-0  position/BTC            * book-received extended',
      '     0.500     0.200      0.500  trading-0  strategy                book-changed from connector/lighter:main',
      '     6.000     2.000      3.000  io-0       connector/lighter:main  place-order from position/BTC',
      '     7.000                       io-0       connector/lighter:main  * gate-passed 4242',
      '     8.500                       io-0       connector/lighter:main  * socket-send',
    ]);
  });

  it('lists what there is', () => {
    const ends = { first: { path: 'a', type: 'frame' }, last: { path: 'b', type: 'tick' } };
    expect(
      formatTraceList({
        traces: [
          { traceId: 9, durationMs: 1.5, names: ['4242', '4243'], ...ends },
          { traceId: 12, durationMs: 0.25, names: [], ...ends },
        ],
      }),
    ).toEqual([
      '       9      1.500 ms  a frame -> b tick  orders 4242, 4243',
      '      12      0.250 ms  a frame -> b tick',
    ]);
    expect(formatTraceList({ traces: [] })).toEqual([
      'no traces: nothing came from outside yet, or runtime.traceEvery is 0',
    ]);
  });
});
