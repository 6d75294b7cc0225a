import { describe, expect, it } from 'vitest';
import { BOOK_WIRES } from '../../bench/order-path/book-wire.ts';
import { NO_DECISIONS, quietBidNear, triggerRise, watchBook } from '../../bench/order-path/decision.ts';
import { DelayedVenue } from '../../bench/order-path/delayed-venue.ts';
import { FloodedVenue } from '../../bench/order-path/flooded-venue.ts';
import type { VenueReport } from '../../bench/order-path/plan.ts';
import type { BookView } from '../../src/market/book.ts';
import { simulatedMarkets } from '../../src/simulation/markets.ts';
import type { SimulatedVenue, VenueInput, VenueOutput } from '../../src/simulation/simulated-venue.ts';

/** The venue's own snapshot: where it comes, the flood begins. */
const OWN_BOOK = '{"type":"SNAPSHOT","data":{"t":"SNAPSHOT","m":"BTC-USD","b":[],"a":[],"d":"f"},"ts":0,"seq":1}';

describe('the decision', () => {
  const bookAt = (bid: number): BookView => ({
    venue: 'extended',
    symbol: 'BTC-USD',
    bids: [[bid, 1]],
    asks: [[bid + 9, 1]],
    venueAtMs: 0,
    receivedAtMonotonicMs: 0,
  });

  it('is made once for each trigger, however often its book is seen', () => {
    const quiet = quietBidNear(90_007);
    let memory = NO_DECISIONS;
    for (const trigger of [1, 2, 3]) {
      for (const bid of [quiet, quiet + triggerRise(trigger), quiet + triggerRise(trigger)])
        memory = watchBook(memory, bookAt(bid));
    }
    expect(memory.count).toBe(3);
  });

  it('is not made for a quiet book', () => {
    expect(watchBook(NO_DECISIONS, bookAt(quietBidNear(90_007)))).toBe(NO_DECISIONS);
  });
});

/** Knows no time and answers nothing but a book of its own: the flood is what is looked at. */
const silent: SimulatedVenue = {
  venue: 'extended',
  handle: (input) => (input.type === 'socket-requested' ? [{ type: 'socket-text', socketId: 7, text: OWN_BOOK }] : []),
  nextWakeMs: () => Infinity,
  oracle: () => ({ accounts: new Map(), rateLimitRefusals: 0 }),
  inject: () => undefined,
};

describe('a flooded venue', () => {
  function flooded(): {
    readonly venue: FloodedVenue;
    readonly reports: VenueReport[];
    readonly failures: string[];
    readonly setNs: (ns: bigint) => void;
  } {
    const reports: VenueReport[] = [];
    const failures: string[] = [];
    let nowNs = 0n;
    const [instrument] = simulatedMarkets('extended', ['BTC']);
    if (instrument === undefined) throw new Error('extended lists BTC');
    const venue = new FloodedVenue({
      inner: silent,
      wire: BOOK_WIRES.extended,
      instrument,
      bestBidTicks: () => 90_000,
      seed: 1,
      hrtimeNs: () => nowNs,
      onFinished: (report) => reports.push(report),
      onFailed: (reason) => failures.push(reason),
    });
    venue.handle(
      { type: 'socket-requested', socketId: 7, remote: '', path: '/v1/orderbooks/BTC-USD', headers: {} },
      at(0),
    );
    return { venue, reports, failures, setNs: (ns) => (nowNs = ns) };
  }
  const at = (monotonicMs: number): { readonly calendarMs: number; readonly monotonicMs: number } => ({
    calendarMs: monotonicMs,
    monotonicMs,
  });
  const texts = (outputs: readonly VenueOutput[]): readonly string[] =>
    outputs.flatMap((output) => (output.type === 'socket-text' ? [output.text] : []));
  const order = (id: string): Parameters<FloodedVenue['handle']>[0] => ({
    type: 'http-request',
    requestId: 1,
    remote: '',
    method: 'POST',
    path: '/api/v1/user/order',
    headers: {},
    body: JSON.stringify({ id }),
  });

  it('sends what is due, the trigger last, and numbers frames without a gap', () => {
    const { venue } = flooded();
    venue.begin({ framesPerSecond: 5_000, triggers: 1, spacingMinMs: 2, spacingMaxMs: 2 }, at(100));
    expect(texts(venue.handle({ type: 'tick' }, at(101)))).toHaveLength(5);
    const burst = texts(venue.handle({ type: 'tick' }, at(102)));
    expect(burst).toHaveLength(5);
    expect(burst.map((text) => (JSON.parse(text) as { readonly seq: number }).seq)).toEqual([7, 8, 9, 10, 11]);
    expect(burst.map((text) => text.includes('"p":"90002"'))).toEqual([false, false, false, false, true]);
  });

  it('stamps a trigger when its text is read, and ends with its order', () => {
    const { venue, reports, setNs } = flooded();
    venue.begin({ framesPerSecond: 1_000, triggers: 1, spacingMinMs: 1, spacingMaxMs: 1 }, at(0));
    const outputs = venue.handle({ type: 'tick' }, at(1));
    setNs(5n);
    texts(outputs);
    setNs(9n);
    venue.handle(order('42'), at(2));
    expect(reports[0]?.samples).toEqual([{ clientOrderId: '42', sentNs: 5n, arrivedNs: 9n }]);
  });

  it('counts due times that passed while a trigger was unanswered, from when they were due', () => {
    const { venue, reports, setNs } = flooded();
    venue.begin({ framesPerSecond: 1_000, triggers: 2, spacingMinMs: 4, spacingMaxMs: 4 }, at(0));
    texts(venue.handle({ type: 'tick' }, at(4)));
    // Due at 8 and 12 as well, sent once at 13.
    venue.handle(order('42'), at(12.5));
    setNs(13_000_000n);
    texts(venue.handle({ type: 'tick' }, at(13)));
    setNs(15_000_000n);
    venue.handle(order('43'), at(15));
    expect(reports[0]?.triggers).toBe(2);
    expect(reports[0]?.samples.slice(1)).toEqual(
      [13_000_000n, 8_000_000n, 12_000_000n].map((sentNs) => ({ clientOrderId: '43', sentNs, arrivedNs: 15_000_000n })),
    );
  });

  it('refuses a run with a second order for one trigger', () => {
    const { venue, failures } = flooded();
    venue.begin({ framesPerSecond: 1_000, triggers: 2, spacingMinMs: 50, spacingMaxMs: 50 }, at(0));
    texts(venue.handle({ type: 'tick' }, at(50)));
    venue.handle(order('42'), at(51));
    venue.handle(order('42'), at(52));
    expect(failures).toEqual(['order 42 must answer a trigger, and none is out']);
  });

  it('refuses a run with an unanswered trigger', () => {
    const { venue, failures } = flooded();
    venue.begin({ framesPerSecond: 10, triggers: 1, spacingMinMs: 1, spacingMaxMs: 1 }, at(0));
    venue.handle({ type: 'tick' }, at(1));
    venue.handle({ type: 'tick' }, at(60_002));
    expect(failures).toEqual(['trigger 1 must be answered within 60000 ms']);
  });
});

describe('a venue at a distance', () => {
  it('hears each request one way later, and is heard one way later', () => {
    const heard: number[] = [];
    const answering: SimulatedVenue = {
      ...silent,
      handle: (input, at) => {
        if (input.type !== 'http-request') return [];
        heard.push(at.monotonicMs);
        return [{ type: 'http-answer', requestId: input.requestId, status: 200, headers: {}, body: '' }];
      },
    };
    const venue = new DelayedVenue(answering, 20);
    const request = (requestId: number): VenueInput => ({
      ...{ type: 'http-request', requestId, remote: '', method: 'GET', path: '/', headers: {}, body: '' },
    });
    const answers: (readonly [atMs: number, requestId: number])[] = [];
    const play = (input: VenueInput, monotonicMs: number): void => {
      for (const output of venue.handle(input, { calendarMs: monotonicMs, monotonicMs }))
        if (output.type === 'http-answer') answers.push([monotonicMs, output.requestId]);
    };
    play(request(1), 0);
    play(request(2), 5);
    for (let wakeMs = venue.nextWakeMs(); wakeMs < Infinity; wakeMs = venue.nextWakeMs())
      play({ type: 'tick' }, wakeMs);
    expect(heard).toEqual([20, 25]);
    expect(answers).toEqual([
      [40, 1],
      [45, 2],
    ]);
  });
});
