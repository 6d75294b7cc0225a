import { describe, expect, it } from 'vitest';
import type { JournalMessage } from '../../actors/journal-messages.ts';
import type { IdentitiesChecked, MonitorMessage } from '../../actors/monitor-messages.ts';
import { reportOf } from '../../actors/monitor/report.ts';
import type { IdentityName } from '../../src/execution/identities.ts';
import { bookOf, pairBook } from '../../src/execution/ledger.ts';
import type { Ledger } from '../../src/execution/ledger.ts';
import { pnlViews } from '../../src/strategy/pnl-views.ts';
import type { ViewedLeg } from '../../src/strategy/pnl-views.ts';
import type { PicoRate } from '../../src/money/units.ts';
import { BASE, Story, leg, openPicture, recordOf, stageMonitor, stepsOf } from './monitor-world.ts';

const L = { venue: 'L', account: 'main', symbol: 'ETH' };

function wallet(walletMicro: bigint): MonitorMessage {
  return {
    type: 'account-changed',
    venue: 'L',
    account: 'main',
    walletMicro,
    availableMicro: walletMicro,
    receivedAtMonotonicMs: 0,
  };
}

describe('a true story', () => {
  it('breaks nothing, from the opening to the last payment, in pages of any size', () => {
    for (const pageRows of [1, 2, 7, 64]) {
      const story = new Story();
      story.open();
      story.paid();
      story.close();
      const { actor, read, kills, broken } = stageMonitor();
      read(story, pageRows);
      actor.advance(120_000);
      expect(broken()).toEqual([]);
      expect(kills()).toEqual([]);
      expect(reportOf(actor.state())).toMatchObject({ isCaughtUp: true, rows: story.rows.length, broken: [] });
      expect(actor.state().comparisons).toBeGreaterThan(5);
    }
  });

  it('is compared with the live books and the venue while the pair is open', () => {
    const story = new Story();
    story.open();
    const { actor, read, broken } = stageMonitor();
    read(story);
    for (let seconds = 0; seconds < 200; seconds += 1) {
      actor.deliver(openPicture());
      actor.advance(1_000);
    }
    expect(broken()).toEqual([]);
  });

  it('is told to the observer, with what became of the pair', () => {
    const story = new Story();
    story.open();
    story.paid();
    story.close();
    const { actor, read } = stageMonitor();
    read(story);
    actor.advance(2_000);
    const told = actor.sentTo('observer').at(-1) as IdentitiesChecked;
    expect(told.broken).toEqual([]);
    expect(told.closedPairs.map(({ pairId, netMicro }) => [pairId, netMicro])).toEqual([['ETH-1', 3_587_883n]]);
  });
});

/** Each way in which books can be wrong: what is done to them, and the name it must be told by. */
type Sabotage = (parts: {
  readonly story: Story;
  readonly ledger: Ledger;
  readonly deliver: (message: MonitorMessage) => void;
  readonly advance: (ms: number) => void;
}) => void;

function change(ledger: Ledger, change: Partial<ReturnType<typeof bookOf>>): void {
  ledger.books.set('L:main:ETH', { ...bookOf(ledger, L), ...change });
}

function changePair(ledger: Ledger, change: Partial<ReturnType<typeof pairBook>>): void {
  ledger.pairs.set('ETH-1', { ...pairBook(ledger, 'ETH-1'), ...change });
}

/** Something harmless that makes the monitor look again. */
function touch(story: Story): void {
  story.payment('L', story.nowMs + 7_200_000, 0n);
}

const viewed = (side: 1 | -1): ViewedLeg => ({
  steps: stepsOf('L'),
  signedLots: 33 * side,
  costMicro: BigInt(side) * 9_903_135_000n,
  markNano: 3_039_200_000_000n,
  indexNano: undefined,
  book: undefined,
  takerFee: 0 as PicoRate,
});

const SABOTAGES: readonly (readonly [IdentityName, Sabotage])[] = [
  [
    'LEG_LOTS',
    ({ ledger, story }) => {
      change(ledger, { signedLots: 34 });
      touch(story);
    },
  ],
  [
    'LEG_CASH',
    ({ ledger, story }) => {
      change(ledger, { costMicro: 9_903_135_100n });
      touch(story);
    },
  ],
  [
    'LEG_FEES',
    ({ ledger, story }) => {
      change(ledger, { feesMicro: -2_475_783n });
      touch(story);
    },
  ],
  [
    'LEG_FUNDING',
    ({ ledger, story }) => {
      change(ledger, { fundingMicro: 1n });
      touch(story);
    },
  ],
  [
    'SUM_OF_LEGS',
    ({ ledger, story }) => {
      changePair(ledger, { priceMicro: 5n });
      touch(story);
    },
  ],
  [
    'PAIR_FEES',
    ({ ledger, story }) => {
      changePair(ledger, { feesMicro: -1n });
      story.pair('OPEN');
    },
  ],
  [
    'PAIR_PRICE',
    ({ ledger, story }) => {
      story.close();
      changePair(ledger, { priceMicro: 1_000n });
    },
  ],
  [
    'CLOSED_TOTALS',
    ({ ledger, story }) => {
      ledger.closed = { pairs: 1, netMicro: 7n, fundingMicro: 0n };
      touch(story);
    },
  ],
  ['CLOSED_NOT_FLAT', ({ story }) => story.pair('CLOSED', { closedAtMs: story.nowMs })],
  ['FAILED_WITH_BOOKINGS', ({ story }) => story.pair('FAILED')],
  [
    'TWO_ACTIVE_PAIRS',
    ({ story }) => {
      const pair = recordOf('OPENING', story.nowMs, { pairId: 'ETH-2' });
      story.row('pair-state', 'pair-state:ETH-2', { pair });
    },
  ],
  ['ORDER_ID_REPEATED', ({ story }) => story.order('open-L', { venue: 'S' })],
  ['ORDER_OVERFILLED', ({ story }) => story.fill('L', '9', 'open-L', 'buy', 1, 3000.95)],
  [
    'FILL_SIDE',
    ({ story }) => {
      story.order('next', { lots: 5 });
      story.fill('L', '9', 'next', 'sell', 5, 3000.95);
    },
  ],
  [
    'FEE_SHARE',
    ({ story }) => {
      story.order('next', { lots: 5 });
      story.fill('L', '9', 'next', 'buy', 5, 3000.95, -30_000_000n);
    },
  ],
  ['LIVE_PAIR', ({ deliver }) => deliver(openPicture({ feesMicro: -2_475_785n }))],
  ['LIVE_LEG', ({ deliver }) => deliver(openPicture({ long: leg('L', 33, 9_903_135_001n) }))],
  ['LIVE_TOTALS', ({ deliver }) => deliver(openPicture({ closedNetMicro: 1n }))],
  ['LIVE_FUNDING', ({ deliver }) => deliver(openPicture({ owedMicro: 1n }))],
  [
    'VENUE_POSITION',
    ({ deliver }) => deliver(openPicture({ short: { ...leg('S', -33, -9_903_795_000n), reportedLots: -32 } })),
  ],
  [
    'THREE_VIEWS',
    ({ deliver }) => {
      const views = pnlViews(viewed(1), viewed(-1), 0n);
      deliver(openPicture({ views: { ...views, unifiedMicro: views.unifiedMicro + 1n } }));
    },
  ],
  [
    'WALLET_CHANGE',
    ({ deliver, advance }) => {
      deliver(wallet(1_000_000_000n));
      advance(130_000);
      deliver(wallet(999_000_000n));
    },
  ],
];

describe('each broken identity is named with its numbers and takes the engine down', () => {
  it.each(SABOTAGES)('%s', (identity, sabotage) => {
    const story = new Story();
    story.open();
    const { actor, read, kills, broken } = stageMonitor({ patience: { walletMs: 120_000 } });
    read(story);
    expect(broken()).toEqual([]);
    const ledger = actor.state().symbols.get(BASE)?.ledger;
    if (ledger === undefined) throw new Error('the story has a symbol');
    sabotage({
      story,
      ledger,
      deliver: (message) => actor.deliver(message),
      advance: (ms) => actor.advance(ms),
    });
    read(story);
    actor.advance(130_000);
    expect(broken()).toContain(identity);
    expect(actor.counts.get('identities-broken')).toBeGreaterThan(0);
    const told = reportOf(actor.state()).broken.find((one) => one.identity === identity);
    if (identity !== 'WALLET_CHANGE') {
      expect(told).toBeDefined();
      expect(told?.expected).not.toBe(told?.got);
    }
    expect(kills().some((reason) => reason.startsWith(`IDENTITY_BROKEN: ${identity}`))).toBe(true);
    expect(actor.sentTo('guard')[0]).toMatchObject({ type: 'kill', level: 2 });
  });

  it('FUNDING_SUM', () => {
    const story = new Story();
    story.open();
    story.paid();
    const { actor, read, kills } = stageMonitor();
    read(story);
    const books = actor.state().symbols.get(BASE);
    if (books === undefined) throw new Error('the story has a symbol');
    books.expectations = books.expectations.map((known, at) =>
      at === 0 ? { ...known, status: 'PENDING' as const } : known,
    );
    touch(story);
    read(story);
    expect(kills()).toEqual(['IDENTITY_BROKEN: FUNDING_SUM ETH: expected 8910000, got 15840000']);
  });
});

describe('what is not broken', () => {
  it('is a live book that hears of a fact a little later or earlier', () => {
    const story = new Story();
    story.open();
    const { actor, read, broken } = stageMonitor();
    read(story);
    for (let round = 0; round < 20; round += 1) {
      actor.deliver(openPicture({ feesMicro: -1n }));
      actor.advance(10_000);
      actor.deliver(openPicture());
      actor.advance(1_000);
    }
    expect(broken()).toEqual([]);
  });

  it('is a position actor that still reads its journal', () => {
    const story = new Story();
    story.open();
    const { actor, read, broken } = stageMonitor();
    read(story);
    actor.deliver(openPicture({ phase: 'RECOVERING', feesMicro: 0n, long: leg('L', 0, 0n) }));
    actor.advance(60_000);
    expect(broken()).toEqual([]);
  });

  it('is money that was put in: it is told, and nothing goes down', () => {
    const story = new Story();
    story.open();
    const { actor, read, broken, kills } = stageMonitor({ patience: { walletMs: 120_000 } });
    read(story);
    actor.deliver(wallet(1_000_000_000n));
    actor.advance(130_000);
    actor.deliver(wallet(1_500_000_000n));
    actor.advance(130_000);
    expect(broken()).toEqual(['WALLET_CHANGE']);
    expect(kills()).toEqual([]);
    actor.advance(600_000);
    expect(broken()).toHaveLength(1);
  });

  it('is a wallet first seen between a payment and its record', () => {
    const story = new Story();
    story.open();
    const { actor, read, broken } = stageMonitor({ patience: { walletMs: 120_000 } });
    read(story);
    actor.deliver(wallet(1_001_980_000n));
    actor.advance(60_000);
    story.payment('L', story.nowMs, 1_980_000n);
    read(story);
    actor.advance(600_000);
    expect(broken()).toEqual([]);
  });

  it('is a wallet that moves by exactly what the journal says', () => {
    const story = new Story();
    story.open();
    const { actor, read } = stageMonitor();
    read(story);
    actor.deliver(wallet(1_000_000_000n));
    actor.advance(10_000);
    story.paid();
    read(story);
    actor.deliver(wallet(1_001_980_000n));
    actor.advance(10_000);
    expect(reportOf(actor.state()).wallets).toEqual([{ venue: 'L', account: 'main', unexplainedMicro: 0n }]);
  });

  it('is a late fill of a pair that failed, while it is being undone', () => {
    const story = new Story();
    story.instruments();
    story.order('open-L');
    story.pair('FAILED');
    const { actor, read, broken } = stageMonitor();
    read(story);
    story.fill('L', '1', 'open-L', 'buy', 33, 3000);
    read(story);
    actor.advance(10_000);
    story.pair('UNWINDING');
    read(story);
    actor.advance(60_000);
    expect(broken()).toEqual([]);
  });

  it('is an old state of a pair whose row came late', () => {
    const story = new Story();
    story.open();
    story.close();
    story.pair('OPEN', { revision: 1 });
    story.pair('OPENING', { pairId: 'ETH-2', revision: 1 });
    const { actor, read, broken } = stageMonitor();
    read(story);
    actor.advance(60_000);
    expect(broken()).toEqual([]);
  });

  it('is the price result of pairs whose lots were held together: each is right by its average cost, none by its cash', () => {
    const story = new Story();
    story.open();
    story.order('next', { pairId: 'ETH-2', lots: 33 });
    story.fill('L', '7', 'next', 'buy', 33, 3100);
    story.close();
    story.order('next-close', { pairId: 'ETH-2', lots: 33, side: 'sell' });
    story.fill('L', '8', 'next-close', 'sell', 33, 3050);
    const { actor, read, broken } = stageMonitor();
    read(story);
    actor.advance(60_000);
    expect(broken()).toEqual([]);
  });

  it('is a fill told before the steps of its instrument', () => {
    const story = new Story();
    story.fill('L', 'early', 'nobody', 'buy', 3, 3000);
    story.open();
    const { actor, read, broken } = stageMonitor();
    read(story);
    expect(broken()).toEqual([]);
    const ledger = actor.state().symbols.get(BASE)?.ledger;
    expect(ledger === undefined ? 0 : bookOf(ledger, L).signedLots).toBe(36);
  });
});

describe('what a row broke before this start', () => {
  const overfilled = (): Story => {
    const story = new Story();
    story.open();
    story.fill('L', '9', 'open-L', 'buy', 1, 3000.95);
    return story;
  };

  it('takes the engine down when nobody has dealt with it', () => {
    const { read, kills } = stageMonitor();
    read(overfilled(), 3);
    expect(kills()).toEqual(['IDENTITY_BROKEN: ORDER_OVERFILLED open-L: expected at most 33 lots, got 34 lots']);
  });

  it('is shown, and leaves the engine alone, when a person has let it trade since', () => {
    const story = overfilled();
    story.engine('TRADING');
    const { actor, read, kills } = stageMonitor();
    read(story, 3);
    actor.advance(60_000);
    expect(kills()).toEqual([]);
    expect(reportOf(actor.state()).broken).toMatchObject([{ identity: 'ORDER_OVERFILLED', isAcknowledged: true }]);
  });
});

it('tells the guard again until it took the word', () => {
  const story = new Story();
  story.open();
  story.fill('L', '9', 'open-L', 'buy', 1, 3000.95);
  let isFull = true;
  const { actor, read, kills } = stageMonitor(
    {},
    { outcome: ({ path }) => (path === 'guard' && isFull ? 'refused' : 'sent') },
  );
  read(story);
  actor.advance(1_000);
  expect(kills().length).toBeGreaterThan(2);
  isFull = false;
  actor.advance(1_000);
  const told = kills().length;
  actor.advance(10_000);
  expect(kills()).toHaveLength(told);
});

it('names a broken identity once, however often it looks', () => {
  const story = new Story();
  story.open();
  const { actor, read, kills } = stageMonitor();
  read(story);
  actor.deliver(openPicture({ feesMicro: -1n }));
  actor.advance(600_000);
  expect(kills()).toHaveLength(1);
});

describe('the statistics of a closed pair', () => {
  const statisticsRows = (messages: readonly { readonly type: string }[]): readonly string[] =>
    messages
      .filter((message) => message.type === 'append-rows')
      .flatMap((message) => (message as Extract<JournalMessage, { type: 'append-rows' }>).rows.map(({ id }) => id));

  it('are written once, again with a late payment, and not again after a restart', () => {
    const story = new Story();
    story.open();
    story.paid();
    story.close();
    const { actor, read } = stageMonitor();
    read(story);
    actor.advance(1_000);
    const first = statisticsRows(actor.sentTo('journal'));
    expect(new Set(first).size).toBe(1);
    actor.deliver({ type: 'statistics-durable', appendId: 1 });
    actor.clearSent();
    actor.advance(10_000);
    expect(statisticsRows(actor.sentTo('journal'))).toEqual([]);

    story.payment('S', story.nowMs - 1, 1n);
    read(story);
    expect(statisticsRows(actor.sentTo('journal'))).toHaveLength(1);

    for (const id of [...first, ...statisticsRows(actor.sentTo('journal'))])
      story.row('pair-statistics', id, { statistics: actor.state().closedPairs.get('ETH-1') }, 'ETH-1');
    const next = stageMonitor();
    next.read(story);
    next.actor.advance(10_000);
    expect(statisticsRows(next.actor.sentTo('journal'))).toEqual([]);
    expect(reportOf(next.actor.state()).closedPairs).toHaveLength(1);
  });

  it('are written again while the journal does not say that it has them', () => {
    const story = new Story();
    story.open();
    story.close();
    const { actor, read } = stageMonitor();
    read(story);
    actor.advance(5_000);
    const written = statisticsRows(actor.sentTo('journal'));
    expect(written.length).toBeGreaterThan(1);
    expect(new Set(written).size).toBe(1);
  });
});
