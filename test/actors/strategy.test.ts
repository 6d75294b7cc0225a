import { describe, expect, it } from 'vitest';
import { strategy } from '../../actors/strategy.ts';
import type { StrategyArgs } from '../../actors/strategy.ts';
import type { MarketEvent } from '../../actors/connector-messages.ts';
import type { EntryPlan } from '../../actors/position-messages.ts';
import type { OpportunitiesScanned, StrategyMessage } from '../../actors/strategy-messages.ts';
import { HOUR_MS } from '../../src/market/funding-rate.ts';
import type { MessageShape, TellOutcome } from '../../src/runtime/actor.ts';
import { book, instrument, micro, pico } from '../market/instruments.ts';
import { entryPolicy, predicted } from '../strategy/candidates.ts';
import { pairChanged } from './pairs.ts';
import { stage } from './stage.ts';
import type { Stage } from './stage.ts';

const START_MS = 1_767_225_600_000;
const args: StrategyArgs = {
  policy: entryPolicy,
  venues: [
    { venue: 'lighter', account: 'main', connectorPath: 'connector/lighter:main' },
    { venue: 'extended', account: 'main', connectorPath: 'connector/extended:main' },
  ],
  bases: ['ETH', 'BTC'],
  scanIntervalMs: 250,
  startupGraceMs: 1_000,
  calendarScale: 1,
  guardPath: 'guard',
  observerPath: 'observer',
};
type Play = Stage<unknown, StrategyMessage, unknown>;

function start(changes: Partial<StrategyArgs> = {}, outcome: TellOutcome = 'sent'): Play {
  return stage(
    strategy,
    { ...args, ...changes },
    {
      nowMs: START_MS + HOUR_MS / 2,
      outcome: (_to, message) => (message.type === 'enter-pair' ? outcome : 'sent'),
    },
  );
}

/** Everything a venue says of one base: mark 3,000 and a tight, deep book. */
function hear(
  play: Play,
  venue: string,
  base: string,
  hourly: number,
  changes: { readonly book?: boolean } = {},
): void {
  const at = play.self.monotonicMs();
  const symbol = `${base}-${venue}`;
  const events: MarketEvent[] = [
    {
      type: 'venue-status',
      venue,
      account: 'main',
      status: 'ready',
      reason: '',
      clockOffsetMs: 0,
      clockErrorMs: 1,
      entriesAllowed: true,
      openBudgetShare: 1,
    },
    {
      type: 'instrument-listed',
      venue,
      account: 'main',
      symbol,
      instrument: instrument({ venue, symbol, base, takerFee: pico(0) }),
    },
    { type: 'leverage-reported', venue, account: 'main', symbol, base, leverage: 3 },
    {
      type: 'mark-changed',
      venue,
      symbol,
      base,
      markNano: 3_000_000_000_000n,
      venueAtMs: play.self.nowMs(),
      receivedAtMonotonicMs: at,
    },
    {
      type: 'funding-rate-changed',
      venue,
      symbol,
      base,
      kind: 'predicted',
      settleAtMs: START_MS + HOUR_MS,
      rate: predicted(hourly, { venue, symbol, settleAtMs: START_MS + HOUR_MS }),
      receivedAtMonotonicMs: at,
    },
    {
      type: 'account-changed',
      venue,
      account: 'main',
      walletMicro: micro(10_000_000_000n),
      availableMicro: micro(10_000_000_000n),
      receivedAtMonotonicMs: at,
    },
  ];
  for (let hour = 3; hour >= 0; hour -= 1) events.push(settled(venue, base, hourly, START_MS - hour * HOUR_MS, at));
  events.push(
    changes.book === false
      ? { type: 'book-changed', venue, symbol, base, lostReason: 'gap' }
      : {
          type: 'book-changed',
          venue,
          symbol,
          base,
          book: book([[59_999, 5_000]], [[60_001, 5_000]], {
            venue,
            symbol,
            venueAtMs: play.self.nowMs(),
            receivedAtMonotonicMs: at,
          }),
        },
  );
  for (const event of events) play.deliver(event);
}
function settled(venue: string, base: string, hourly: number, settleAtMs: number, at: number): MarketEvent {
  const symbol = `${base}-${venue}`;
  return {
    type: 'funding-rate-changed',
    venue,
    symbol,
    base,
    kind: 'settled',
    settleAtMs,
    rate: predicted(hourly, { venue, symbol, kind: 'settled', settleAtMs }),
    receivedAtMonotonicMs: at,
  };
}
/** Funding units are unproven after a start: small entries must still be worth something. */
const lenient: Partial<StrategyArgs> = {
  policy: {
    ...entryPolicy,
    entry: { ...entryPolicy.entry, minExpectedValueQuote: 0 },
    sizing: { ...entryPolicy.sizing, maxStepNotionalShare: 1 },
  },
};
function trading(play: Play): void {
  play.deliver({ type: 'engine-state-changed', state: 'TRADING', reason: '', flatten: false });
  for (const base of ['ETH', 'BTC']) play.deliver(pairChanged(base));
}
/** Both venues, ETH earning 0.005 % and BTC 0.006 % per hour when long on lighter. */
function market(play: Play): void {
  for (const [base, hourly] of [
    ['ETH', 50_000_000],
    ['BTC', 60_000_000],
  ] as const) {
    hear(play, 'lighter', base, 0);
    hear(play, 'extended', base, hourly);
  }
}
function plans(play: Play): readonly EntryPlan[] {
  return play.sent.flatMap(({ message }) => (isEnterPair(message) ? [message.plan] : []));
}
function isEnterPair(message: MessageShape): message is MessageShape & { readonly plan: EntryPlan } {
  return message.type === 'enter-pair';
}
function isScanned(message: MessageShape): message is OpportunitiesScanned {
  return message.type === 'opportunities-scanned';
}
function scanned(play: Play): readonly OpportunitiesScanned[] {
  return play.sentTo('observer').filter(isScanned);
}
function verdict(play: Play, base: string, longVenue: string): string | undefined {
  const last = scanned(play).at(-1);
  return last?.candidates.find((one) => one.base === base && one.longVenue === longVenue)?.verdict;
}

it('asks everybody for their state when it starts, after a crash as well', () => {
  const play = start();
  expect(play.sentTo('connector/lighter:main')).toEqual([
    { type: 'resend-state', to: { path: 'strategy', incarnation: 0 }, bases: ['ETH', 'BTC'] },
  ]);
  expect(play.sentTo('connector/extended:main')).toHaveLength(1);
  expect(play.sentTo('guard')).toEqual([{ type: 'resend-engine-state', to: 'strategy' }]);
});

describe('a scan', () => {
  it('enters the best pair once, on the venue that pays, and waits for its position to answer', () => {
    const play = start(lenient);
    trading(play);
    play.advance(900);
    market(play);
    play.advance(1_500);
    expect(plans(play).map((plan) => [plan.base, plan.long.venue, plan.short.venue])).toEqual([
      ['BTC', 'lighter', 'extended'],
      ['ETH', 'lighter', 'extended'],
    ]);
    expect(play.sentTo('position/BTC')).toHaveLength(1);
    expect(plans(play)[0]).toMatchObject({
      long: { symbol: 'BTC-lighter', lots: 1 },
      short: { symbol: 'BTC-extended', lots: 1 },
      decidedAtMs: START_MS + HOUR_MS / 2 + 1_000,
    });
  });

  it('asks again when the answer shows a failed entry, not before, and at latest after 5 s', () => {
    const play = start({ ...lenient, bases: ['ETH'] });
    trading(play);
    play.advance(900);
    market(play);
    play.advance(400);
    expect(plans(play)).toHaveLength(1);
    play.deliver(pairChanged('ETH', { phase: 'FAILED', pairId: 'p1' }));
    play.advance(250);
    expect(plans(play)).toHaveLength(2);
    for (let second = 0; second < 6; second += 1) {
      play.advance(1_000);
      market(play);
    }
    expect(plans(play)).toHaveLength(3);
  });

  it('keeps a plan that could not be delivered out of its accounts', () => {
    const play = start(lenient, 'refused');
    trading(play);
    play.advance(900);
    market(play);
    play.advance(700);
    // Refused each time, so each scan asks for the same best pair again.
    expect(new Set(plans(play).map((plan) => plan.base))).toEqual(new Set(['BTC']));
    expect(play.counts.get('enter-pair-refused')).toBe(plans(play).length);
  });

  it('does not enter a base whose position has not reported', () => {
    const play = start({ ...lenient, bases: ['ETH'] });
    play.deliver({ type: 'engine-state-changed', state: 'TRADING', reason: '', flatten: false });
    play.advance(900);
    market(play);
    play.advance(400);
    expect(plans(play)).toEqual([]);
    expect(verdict(play, 'ETH', 'lighter')).toBe('PAIR_EXISTS');
  });

  it('counts open pairs, planned ones included, against the limits', () => {
    const tight = { ...entryPolicy.risk, maxPairs: 1 };
    const play = start({ policy: { ...(lenient.policy ?? entryPolicy), risk: tight } });
    trading(play);
    play.advance(900);
    market(play);
    play.advance(1_600);
    expect(plans(play).map((plan) => plan.base)).toEqual(['BTC']);
    expect(verdict(play, 'ETH', 'lighter')).toBe('MAX_PAIRS');
  });

  it.each([
    ['ENGINE_NOT_TRADING', { state: 'ARMED' }],
    ['ENGINE_NOT_TRADING', { state: 'TRADING', entriesPaused: true }],
  ] as const)('enters nothing with %s', (expected, engine) => {
    const play = start(lenient);
    trading(play);
    play.deliver({ type: 'engine-state-changed', reason: 'test', flatten: false, ...engine });
    play.advance(900);
    market(play);
    play.advance(400);
    expect(plans(play)).toEqual([]);
    expect(verdict(play, 'BTC', 'lighter')).toBe(expected);
  });
});

it('tells the observer why it does not trade, at most once a second, with refusals counted', () => {
  const play = start();
  trading(play);
  play.advance(900);
  hear(play, 'lighter', 'ETH', 0, { book: false });
  hear(play, 'extended', 'ETH', 50_000_000);
  play.advance(3_100);
  expect(scanned(play)).toHaveLength(4);
  expect(verdict(play, 'ETH', 'lighter')).toBe('STALE_BOOK');
  expect(scanned(play)[0]?.candidates.map((one) => [one.base, one.verdict])).toEqual([
    ['ETH', 'BOOK_GAP'],
    ['ETH', 'BOOK_GAP'],
    ['BTC', 'STALE_BOOK'],
    ['BTC', 'STALE_BOOK'],
  ]);
  const counted = Object.values(scanned(play).at(-1)?.refusals ?? {}).reduce((sum, count) => sum + count, 0);
  expect(counted % 4).toBe(0);
});

it('names a reason for every base, however many candidates there are', () => {
  const bases = Array.from({ length: 150 }, (_, index) => `B${index}`);
  const play = start({ bases });
  play.advance(1_000);
  expect(new Set(scanned(play)[0]?.candidates.map(({ base }) => base))).toEqual(new Set(bases));
  expect(scanned(play)[0]?.candidates.length).toBeLessThan(300);
});

it('restricts itself to the configured pairs of accounts', () => {
  const play = start({ venuePairs: [['lighter:main', 'bybit:main']] });
  play.advance(1_000);
  expect(scanned(play)[0]?.candidates).toEqual([]);
});

it('keeps nothing of bases it does not trade', () => {
  const play = start({ bases: ['BTC'] });
  play.advance(900);
  market(play);
  play.advance(100);
  expect(scanned(play)[0]?.candidates.every((one) => one.base === 'BTC')).toBe(true);
});

it('blocks a venue whose feed and history differ by eight from the first moment on', () => {
  const play = start({ ...lenient, bases: ['ETH'] });
  trading(play);
  const [told, settleAtMs] = [play.self.monotonicMs(), START_MS];
  const history = settled('extended', 'ETH', 50_000_000, settleAtMs, told);
  if (history.type !== 'funding-rate-changed') throw new Error('a settled rate must be told as one');
  play.deliver({ ...history, rate: { ...history.rate, feedHourly: pico(400_000_000) } });
  play.advance(900);
  market(play);
  play.advance(1_000);
  expect(verdict(play, 'ETH', 'lighter')).toBe('FUNDING_UNIT');
  expect(play.logged.find((entry) => entry.event === 'funding-unit-judged')).toMatchObject({
    level: 'error',
    fields: { venue: 'extended', state: 'UNIT_SUSPECT', factor: 1 / 8 },
  });
});

it('blocks a venue that settles an eighth of what it predicts, and says so loudly', () => {
  const play = start({ ...lenient, bases: ['ETH'] });
  trading(play);
  for (let hour = 1; hour <= 3; hour += 1) {
    const settleAtMs = START_MS + hour * HOUR_MS;
    market(play);
    play.deliver({
      type: 'funding-rate-changed',
      venue: 'extended',
      symbol: 'ETH-extended',
      base: 'ETH',
      kind: 'predicted',
      settleAtMs,
      rate: predicted(400_000_000, { settleAtMs }),
      receivedAtMonotonicMs: play.self.monotonicMs(),
    });
    play.deliver(settled('extended', 'ETH', 50_000_000, settleAtMs, play.self.monotonicMs()));
    play.advanceCalendar(HOUR_MS);
  }
  market(play);
  play.advance(1_000);
  market(play);
  play.advance(1_000);
  expect(verdict(play, 'ETH', 'lighter')).toBe('FUNDING_UNIT');
  expect(play.logged.find((entry) => entry.event === 'funding-unit-judged')).toMatchObject({
    level: 'error',
    fields: { venue: 'extended', state: 'UNIT_SUSPECT', factor: 1 / 8 },
  });
});

it('decides the same from the same messages', () => {
  const run = (): readonly unknown[] => {
    const play = start(lenient);
    trading(play);
    play.advance(900);
    market(play);
    play.advance(2_000);
    return play.sent;
  };
  expect(run()).toEqual(run());
});

describe('making room', () => {
  const rotation = { marginQuote: 1, perDay: 1, confirmMs: 20_000, minHoldHours: 8 };
  const full: Partial<StrategyArgs> = {
    ...lenient,
    policy: {
      ...entryPolicy,
      entry: { ...entryPolicy.entry, minExpectedValueQuote: 0 },
      sizing: { ...entryPolicy.sizing, maxStepNotionalShare: 1 },
      risk: { ...entryPolicy.risk, maxPairs: 1 },
    },
    rotation,
  };
  const leg = (venue: string, signedLots: number) => ({
    venue,
    account: 'main',
    symbol: `ETH-${venue}`,
    signedLots,
    averagePrice: 3_000,
  });
  const ethOpen = (openedAtMs: number, changes: Partial<Parameters<typeof pairChanged>[1]> = {}) =>
    pairChanged('ETH', {
      phase: 'OPEN',
      pairId: 'ETH-1',
      openedAtMs,
      long: leg('lighter', 160),
      short: leg('extended', -160),
      notionalMicro: 480_000_000n,
      ...changes,
    });
  /** One limit, one pair that pays, and another symbol that would earn. */
  function play(pair: ReturnType<typeof pairChanged>, seconds: number, args_: Partial<StrategyArgs> = full): Play {
    const playing = start(args_);
    trading(playing);
    playing.deliver(pair);
    for (let second = 0; second < seconds; second += 1) {
      hear(playing, 'lighter', 'ETH', 0);
      hear(playing, 'extended', 'ETH', -50_000_000);
      hear(playing, 'lighter', 'BTC', 0);
      hear(playing, 'extended', 'BTC', 60_000_000);
      playing.advance(1_000);
    }
    return playing;
  }
  const asked = (playing: Play): readonly MessageShape[] =>
    playing.sentTo('position/ETH').filter(({ type }) => type === 'rotate-pair');
  const TEN_HOURS_AGO = START_MS - 10 * HOUR_MS;

  it('asks the pair that pays to leave for one that earns, once that has lasted, and enters nothing meanwhile', () => {
    expect(asked(play(ethOpen(TEN_HOURS_AGO), 15))).toEqual([]);
    const playing = play(ethOpen(TEN_HOURS_AGO), 40);
    expect(verdict(playing, 'BTC', 'lighter')).toBe('MAX_PAIRS');
    const [first] = asked(playing);
    expect(first).toMatchObject({ type: 'rotate-pair', pairId: 'ETH-1' });
    expect(String((first as { detail?: string }).detail)).toContain('BTC lighter/extended brings');
    expect(plans(playing)).toEqual([]);
  });

  it.each([
    ['a pair that was opened a moment ago', ethOpen(START_MS), full],
    ['a spent budget', ethOpen(TEN_HOURS_AGO, { rotatedAtMs: [START_MS - HOUR_MS] }), full],
    ['a gain below the margin', ethOpen(TEN_HOURS_AGO), { ...full, rotation: { ...rotation, marginQuote: 100_000 } }],
    ['a setting that turns it off', ethOpen(TEN_HOURS_AGO), { ...full, rotation: { ...rotation, perDay: 0 } }],
    ['a pair on its way out', ethOpen(TEN_HOURS_AGO, { phase: 'CLOSING' }), full],
  ])('not with %s', (_what, pair, args_) => {
    expect(asked(play(pair, 40, args_))).toEqual([]);
  });

  it('not while both could be held: then the better one is entered', () => {
    const playing = play(ethOpen(TEN_HOURS_AGO), 40, { ...lenient, rotation });
    expect(plans(playing)[0]?.base).toBe('BTC');
    expect(asked(playing)).toEqual([]);
  });
});

describe('quote currencies', () => {
  function tell(play: Play, indexOfUsdt: bigint): void {
    for (const venue of ['lighter', 'extended']) {
      const [quote, markNano] =
        venue === 'lighter' ? (['USDC', 3_000_000_000_000n] as const) : (['USDT', indexOfUsdt] as const);
      const symbol = `ETH-${venue}`;
      const listed = instrument({ venue, symbol, base: 'ETH', quote });
      play.deliver({ type: 'instrument-listed', venue, account: 'main', symbol, instrument: listed });
      play.deliver({
        type: 'mark-changed',
        venue,
        symbol,
        base: 'ETH',
        markNano: 3_000_000_000_000n,
        indexNano: markNano,
        venueAtMs: play.self.nowMs(),
        receivedAtMonotonicMs: play.self.monotonicMs(),
      });
    }
  }
  const apart = (play: Play): readonly unknown[] =>
    play.logged.filter(({ event }) => event === 'quotes-apart').map(({ level, fields }) => [level, fields['gap']]);

  it('are measured by what two venues’ indexes ask for one underlying, told to positions, and aloud once when apart', () => {
    const play = start();
    tell(play, 3_000_000_000_000n);
    play.advance(2_000);
    expect(play.sentTo('position/BTC').filter(({ type }) => type === 'quote-rates-told')).toMatchObject([
      { rates: [{ first: 'USDC', second: 'USDT', rate: 1, samples: 1 }] },
    ]);
    tell(play, 3_015_000_000_000n);
    play.advance(9_000);
    expect(apart(play)).toEqual([]);
    play.advance(3_000);
    expect(apart(play)).toMatchObject([['warn', expect.closeTo(0.005, 9)]]);
    tell(play, 3_060_000_000_000n);
    play.advance(12_000);
    expect(apart(play)).toHaveLength(2);
    expect(apart(play)[1]).toMatchObject(['error', expect.closeTo(0.02, 9)]);
    tell(play, 3_000_000_000_000n);
    play.advance(12_000);
    expect(apart(play)).toHaveLength(2);
    expect(play.logged.filter(({ event }) => event === 'quotes-together')).toHaveLength(1);
  });

  it('are told at once to positions and not at all in the log while they cross the line again and again', () => {
    const play = start();
    for (let swing = 0; swing < 60; swing++) {
      tell(play, swing % 2 === 0 ? 3_015_000_000_000n : 3_000_000_000_000n);
      play.advance(2_000);
    }
    expect(apart(play)).toEqual([]);
    const rates = play.sentTo('position/BTC').filter(({ type }) => type === 'quote-rates-told');
    expect(rates.length).toBeGreaterThan(50);
  });
});
