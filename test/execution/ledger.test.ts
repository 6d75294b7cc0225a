import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  APPLIED_MAX,
  applyAdjustment,
  applyFill,
  applyFunding,
  applyRowToLedger,
  bookOf,
  closePairBook,
  defineInstrument,
  emptyLedger,
  foldLedger,
  pairBook,
  pairLots,
  pairNetMicro,
  registerOrder,
  walletChangeMicro,
} from '../../src/execution/ledger.ts';
import type { InstrumentSteps, Ledger } from '../../src/execution/ledger.ts';
import type { FactRow, FillFact, FundingFact, LegSide, PlannedOrder } from '../../src/execution/facts.ts';
import { notionalMicro, notionalMicroAtNano } from '../../src/money/amounts.ts';
import type { MicroUnits, PicoRate, PriceTicks, QuantityLots, SignedLots } from '../../src/money/units.ts';
import { propertyRuns } from '../property-runs.ts';

/** Ticks of 0.05, lots of 0.1: EX-13 in whole numbers. */
const steps = (venue: string): InstrumentSteps => ({
  venue,
  symbol: 'ETH',
  priceDecimals: 2,
  tickUnits: 5,
  quantityDecimals: 1,
  lotUnits: 1,
  multiplier: 1,
});

function fill(
  venue: string,
  fillId: string,
  side: 'buy' | 'sell',
  price: number,
  lots: number,
  feeMicro = 0n,
  clientOrderId = `${venue}-${side}`,
  venueAtMs = 10,
): FillFact {
  return {
    type: 'fill-received',
    venue,
    account: 'main',
    symbol: 'ETH',
    fill: {
      fillId,
      symbol: 'ETH',
      clientOrderId,
      venueOrderId: '',
      side,
      priceTicks: Math.round(price / 0.05) as PriceTicks,
      lots: lots as QuantityLots,
      feeMicro: feeMicro as MicroUnits,
      liquidity: 'taker',
      venueAtMs,
    },
  };
}

function funding(venue: string, paymentId: string, amountMicro: bigint, settledAtMs = 20): FundingFact {
  return {
    type: 'funding-paid',
    venue,
    account: 'main',
    symbol: 'ETH',
    payment: {
      paymentId,
      symbol: 'ETH',
      amountMicro: amountMicro as MicroUnits,
      rate: 0 as PicoRate,
      signedLots: 0 as SignedLots,
      settledAtMs,
    },
  };
}

function order(venue: string, side: 'buy' | 'sell', pairId: string, leg: LegSide, plannedAtMs = 0): PlannedOrder {
  return {
    venue,
    account: 'main',
    symbol: 'ETH',
    clientOrderId: `${venue}-${side}`,
    pairId,
    leg,
    purpose: 'open',
    attempt: 1,
    side,
    lots: 33,
    limitTicks: 1,
    reduceOnly: false,
    validUntilMs: 0,
    plannedAtMs,
  };
}

const row = (type: FactRow['type'], id: string, payload: FactRow['payload']): FactRow => ({
  id,
  type,
  atMs: 0,
  payload,
});

/** What two ledgers of the same facts must agree in, whatever the order of their rows. */
const booked = ({ books, pairs, ownLots, closed }: Ledger): Partial<Ledger> => ({ books, pairs, ownLots, closed });

function ledgerOf(...venues: string[]): Ledger {
  const ledger = emptyLedger();
  for (const venue of venues) defineInstrument(ledger, steps(venue));
  return ledger;
}

const keyOf = (venue: string): { venue: string; account: string; symbol: string } => ({
  venue,
  account: 'main',
  symbol: 'ETH',
});

describe('the books of a pair', () => {
  it('add up to the worked life cycle: price -0.33, fees -4.992117, funding +8.91', () => {
    const ledger = ledgerOf('L', 'S');
    for (const planned of [
      order('L', 'buy', 'p1', 'long'),
      order('L', 'sell', 'p1', 'long'),
      order('S', 'sell', 'p1', 'short'),
      order('S', 'buy', 'p1', 'short'),
    ]) {
      registerOrder(ledger, planned);
    }
    // Fees round against us to the next micro-unit: 2.47578375 and 2.5163325.
    applyFill(ledger, fill('L', '1', 'buy', 3000.95, 33, -2_475_784n));
    applyFill(ledger, fill('S', '1', 'sell', 3001.15, 33));
    applyFunding(ledger, funding('S', '1', 6_930_000n));
    applyFunding(ledger, funding('L', '1', 1_980_000n));
    applyFill(ledger, fill('L', '2', 'sell', 3050.1, 33, -2_516_333n));
    applyFill(ledger, fill('S', '2', 'buy', 3050.4, 33));
    const book = pairBook(ledger, 'p1');
    expect(book).toMatchObject({
      priceMicro: -330_000n,
      feesMicro: -4_992_117n,
      fundingMicro: 8_910_000n,
      fundingPayments: 2,
      fills: 4,
    });
    expect(pairNetMicro(book)).toBe(3_587_883n);
    closePairBook(ledger, 'p1', true);
    expect(ledger.closed).toEqual({ pairs: 1, netMicro: 3_587_883n, fundingMicro: 8_910_000n });
    expect(bookOf(ledger, keyOf('L'))).toMatchObject({ signedLots: 0, costMicro: 0n });
  });

  it('take late bookings of a closed pair into the totals', () => {
    const ledger = ledgerOf('L');
    registerOrder(ledger, order('L', 'buy', 'p1', 'long'));
    applyFill(ledger, fill('L', '1', 'buy', 3000, 1));
    closePairBook(ledger, 'p1', true);
    applyFunding(ledger, funding('L', '9', 500n));
    expect(ledger.closed).toEqual({ pairs: 1, netMicro: 500n, fundingMicro: 500n });
  });

  it('count no trade for a pair that failed without a fill', () => {
    const ledger = ledgerOf('L');
    registerOrder(ledger, order('L', 'buy', 'p1', 'long'));
    closePairBook(ledger, 'p1', false);
    expect(ledger.closed.pairs).toBe(0);
    expect(pairNetMicro(pairBook(ledger, 'p1'))).toBe(0n);
  });

  it('book each fill and each payment once', () => {
    const ledger = ledgerOf('L');
    expect([
      applyFill(ledger, fill('L', '1', 'buy', 3000, 5)),
      applyFill(ledger, fill('L', '1', 'buy', 3000, 5)),
    ]).toEqual([true, false]);
    expect([applyFunding(ledger, funding('L', '1', 7n)), applyFunding(ledger, funding('L', '1', 7n))]).toEqual([
      true,
      false,
    ]);
    expect(bookOf(ledger, keyOf('L'))).toMatchObject({ signedLots: 5, fundingMicro: 7n, fills: 1, fundingPayments: 1 });
  });

  it('give funding to the pair that held the leg when it settled', () => {
    const ledger = ledgerOf('L');
    registerOrder(ledger, { ...order('L', 'buy', 'p1', 'long', 0), clientOrderId: 'a' });
    registerOrder(ledger, { ...order('L', 'buy', 'p2', 'long', 100), clientOrderId: 'b' });
    applyFunding(ledger, funding('L', '1', 3n, 50));
    applyFunding(ledger, funding('L', '2', 4n, 150));
    expect(pairBook(ledger, 'p1').fundingMicro).toBe(3n);
    expect(pairBook(ledger, 'p2').fundingMicro).toBe(4n);
  });

  it.each([
    ['takes the leg', 'sell', 33],
    ['takes a part of it', 'sell', 10],
    ['adds to it', 'buy', 5],
  ] as const)(
    'book a stranger’s fill that %s the same on either side of the rows that end its pair',
    (_, side, lots) => {
      const config = row('config', 'L', { instrument: steps('L') });
      const rows = (between: readonly FactRow[], after: readonly FactRow[]): readonly FactRow[] => [
        config,
        row('order-planned', 'o', { order: order('L', 'buy', 'p1', 'long') }),
        row('fill', '1', { event: fill('L', '1', 'buy', 3000, 33, -100n) }),
        row('fill', '2', { event: fill('L', '2', 'sell', 3010, 33, -100n, 'L-buy') }),
        ...between,
        row('pair-state', 'p', { pair: { pairId: 'p1', phase: 'CLOSED' } }),
        row('order-planned', 'n', { order: { ...order('L', 'buy', 'p2', 'long', 5), clientOrderId: 'next' } }),
        ...after,
      ];
      // The stranger trades before the pair is out of it, and after.
      const stranger = row('fill', '9', { event: fill('L', '9', side, 3020, lots, -50n, '', 7) });
      expect(foldLedger(rows([stranger], []))).toMatchObject(booked(foldLedger(rows([], [stranger]))));
      const held = rows([stranger], []).filter(({ id }) => id !== '2');
      const told = rows([], [stranger]).filter(({ id }) => id !== '2');
      expect(foldLedger(held)).toMatchObject(booked(foldLedger(told)));
      expect(pairBook(foldLedger(held), 'p1').fills).toBe(2);
      expect(pairBook(foldLedger(rows([stranger], [])), 'p1').fills).toBe(2);
    },
  );

  it('give back nothing that a stranger took and another brought', () => {
    const ledger = ledgerOf('L');
    registerOrder(ledger, order('L', 'buy', 'p1', 'long'));
    applyFill(ledger, fill('L', '1', 'buy', 3000, 33));
    applyFill(ledger, fill('L', '2', 'sell', 3000, 13, 0n, ''));
    expect(pairLots(ledger, 'p1', keyOf('L'))).toBe(20);
    applyFill(ledger, fill('L', '3', 'buy', 3000, 13, 0n, ''));
    expect(pairLots(ledger, 'p1', keyOf('L'))).toBe(20);
    applyFill(ledger, fill('L', '4', 'sell', 3000, 33, 0n, ''));
    // What is traded on the account from here on is no pair's.
    applyFill(ledger, fill('L', '5', 'buy', 3000, 5, 0n, ''));
    applyFill(ledger, fill('L', '6', 'sell', 3100, 5, -9n, ''));
    expect(pairBook(ledger, 'p1')).toMatchObject({ fills: 4, priceMicro: 0n, feesMicro: 0n });
  });

  it('refuse a fill whose instrument is unknown, by name', () => {
    expect(() => applyFill(emptyLedger(), fill('L', '1', 'buy', 3000, 5))).toThrow('L:ETH');
  });
});

describe('T7: any sequence of fills', () => {
  const trade = fc.record({
    side: fc.constantFrom('buy' as const, 'sell' as const),
    ticks: fc.integer({ min: 1, max: 10_000_000 }),
    lots: fc.integer({ min: 1, max: 5_000 }),
    feeMicro: fc.bigInt({ min: -1_000_000n, max: 1_000n }),
  });

  function played(trades: readonly { side: 'buy' | 'sell'; ticks: number; lots: number; feeMicro: bigint }[]): Ledger {
    const ledger = ledgerOf('L');
    trades.forEach(({ side, ticks, lots, feeMicro }, index) =>
      applyFill(ledger, fill('L', String(index), side, ticks * 0.05, lots, feeMicro)),
    );
    return ledger;
  }

  it('conserves money: realised profit plus what is tied up equals the cash that flowed, to a micro-unit per flip', () => {
    fc.assert(
      fc.property(fc.array(trade, { maxLength: 30 }), (trades) => {
        const book = bookOf(played(trades), keyOf('L'));
        const cash = trades.reduce(
          (sum, { side, ticks, lots }) => sum - notionalMicro(steps('L'), ticks, side === 'buy' ? lots : -lots),
          0n,
        );
        // A trade through zero is rounded as two: each can differ from the whole by half a micro-unit.
        const difference = book.realisedMicro - (cash + book.costMicro);
        expect(difference <= BigInt(trades.length) && difference >= -BigInt(trades.length)).toBe(true);
        expect(book.signedLots).toBe(trades.reduce((sum, { side, lots }) => sum + (side === 'buy' ? lots : -lots), 0));
        if (book.signedLots === 0) expect(book.costMicro).toBe(0n);
      }),
      propertyRuns(),
    );
  });

  it('moves the wallet by realised profit, fees and funding, and by nothing else', () => {
    fc.assert(
      fc.property(fc.array(trade, { maxLength: 30 }), (trades) => {
        const ledger = played(trades);
        applyFunding(ledger, funding('L', 'f', 123n));
        const book = bookOf(ledger, keyOf('L'));
        expect(walletChangeMicro(ledger, 'L', 'main')).toBe(
          book.realisedMicro + trades.reduce((sum, { feeMicro }) => sum + feeMicro, 0n) + 123n,
        );
      }),
      propertyRuns(),
    );
  });

  it('gives a closed pair of equal legs the difference of its bases, exactly', () => {
    const price = fc.integer({ min: 1_000, max: 200_000 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        price,
        price,
        price,
        price,
        (lots, longIn, shortIn, longOut, shortOut) => {
          const ledger = ledgerOf('L', 'S');
          registerOrder(ledger, order('L', 'buy', 'p', 'long'));
          registerOrder(ledger, order('L', 'sell', 'p', 'long'));
          registerOrder(ledger, order('S', 'sell', 'p', 'short'));
          registerOrder(ledger, order('S', 'buy', 'p', 'short'));
          applyFill(ledger, fill('L', '1', 'buy', longIn * 0.05, lots));
          applyFill(ledger, fill('S', '1', 'sell', shortIn * 0.05, lots));
          applyFill(ledger, fill('L', '2', 'sell', longOut * 0.05, lots));
          applyFill(ledger, fill('S', '2', 'buy', shortOut * 0.05, lots));
          const basis = notionalMicro(steps('L'), shortIn - longIn - (shortOut - longOut), lots);
          expect(pairBook(ledger, 'p').priceMicro).toBe(basis);
        },
      ),
      propertyRuns(),
    );
  });
});

describe('an adjustment', () => {
  const adjusted = (ledger: Ledger, changeLots: number, priceNano?: bigint, pairId?: string): boolean =>
    applyAdjustment(
      ledger,
      `adjust ${changeLots}`,
      { ...keyOf('L'), changeLots, evidence: 'test', ...(priceNano === undefined ? {} : { priceNano }) },
      pairId,
    );
  const mark = (price: number): bigint => BigInt(price) * 1_000_000_000n;

  it('that takes lots away realises what they gained up to the mark, against their average cost', () => {
    const ledger = ledgerOf('L');
    applyFill(ledger, fill('L', '1', 'buy', 3000, 10));
    applyFill(ledger, fill('L', '2', 'buy', 3100, 10));
    adjusted(ledger, -5, mark(3150));
    const left = bookOf(ledger, keyOf('L'));
    const costs = notionalMicro(steps('L'), 3050 / 0.05, 1);
    expect(left).toMatchObject({ signedLots: 15, costMicro: 15n * costs, adjustments: 1, realisedMicro: 0n });
    expect(left.adjustedMicro).toBe(notionalMicro(steps('L'), 3150 / 0.05, 5) - 5n * costs);
  });

  it('without a known mark realises nothing and leaves the average price as it was', () => {
    const ledger = ledgerOf('L');
    applyFill(ledger, fill('L', '1', 'sell', 3000, 10));
    const before = bookOf(ledger, keyOf('L'));
    adjusted(ledger, 4);
    expect(bookOf(ledger, keyOf('L'))).toMatchObject({
      signedLots: -6,
      costMicro: (before.costMicro * 6n) / 10n,
      adjustedMicro: 0n,
    });
  });

  it('counts towards its pair, also when the pair has ended', () => {
    const ledger = ledgerOf('L');
    registerOrder(ledger, order('L', 'buy', 'p', 'long'));
    applyFill(ledger, fill('L', '1', 'buy', 3000, 10));
    closePairBook(ledger, 'p', true);
    adjusted(ledger, -10, mark(2900), 'p');
    const lost = notionalMicro(steps('L'), 100 / 0.05, 10);
    expect(pairBook(ledger, 'p')).toMatchObject({ adjustedMicro: -lost, priceMicro: 0n });
    expect(pairNetMicro(pairBook(ledger, 'p'))).toBe(ledger.closed.netMicro);
    expect(adjusted(ledger, -10, mark(2900), 'p')).toBe(false);
  });

  it('leaves the equity at its mark as it was, whatever it does to the position', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -500, max: 500 }),
        fc.integer({ min: 1, max: 200_000 }),
        fc.integer({ min: -1_000, max: 1_000 }).filter((lots) => lots !== 0),
        fc.bigInt({ min: 1n, max: 10_000_000_000_000n }),
        (held, ticks, changeLots, nano) => {
          const ledger = ledgerOf('L');
          if (held !== 0) applyFill(ledger, fill('L', '1', held > 0 ? 'buy' : 'sell', ticks * 0.05, Math.abs(held)));
          // Wallet plus what the position is worth at the mark beyond its cost, less what came in or left at the mark itself.
          const equity = (): bigint => {
            const { signedLots, costMicro } = bookOf(ledger, keyOf('L'));
            return (
              walletChangeMicro(ledger, 'L', 'main') + notionalMicroAtNano(steps('L'), nano, signedLots) - costMicro
            );
          };
          const before = equity();
          adjusted(ledger, changeLots, nano);
          expect(bookOf(ledger, keyOf('L')).signedLots).toBe(held + changeLots);
          const moved = equity() - before;
          // Three notionals are rounded on their own.
          expect(moved >= -2n && moved <= 2n).toBe(true);
        },
      ),
      propertyRuns(),
    );
  });
});

describe('folding a journal', () => {
  const rows: FactRow[] = [
    { id: 'early', type: 'fill', atMs: 1, payload: { event: fill('L', '0', 'buy', 3000, 2) } },
    { id: 'i', type: 'config', atMs: 2, payload: { instrument: steps('L') } },
    { id: 'o', type: 'order-planned', atMs: 3, payload: { order: order('L', 'buy', 'p1', 'long') } },
    { id: 'f', type: 'fill', atMs: 4, payload: { event: fill('L', '1', 'buy', 3010, 3) } },
    { id: 'p', type: 'funding', atMs: 5, payload: { event: funding('L', '1', 9n) } },
    { id: 'a', type: 'adjust', atMs: 6, payload: { adjustment: { ...keyOf('L'), changeLots: -1, evidence: 'test' } } },
    { id: 's', type: 'pair-state', atMs: 7, payload: { pair: { pairId: 'p1', phase: 'CLOSED' } } },
  ];

  it('T9: gives the same books every time, whether or not rows repeat', () => {
    const once = foldLedger(rows);
    expect(foldLedger(rows)).toEqual(once);
    expect(foldLedger([...rows, ...rows])).toEqual(once);
    expect(bookOf(once, keyOf('L'))).toMatchObject({ signedLots: 4, fills: 2, adjustments: 1 });
    expect(once.closed.pairs).toBe(1);
  });

  it('keeps the facts of all venues and kinds apart, whatever ids they have in common', () => {
    const ledger = emptyLedger();
    for (const venue of ['L', 'E']) {
      defineInstrument(ledger, steps(venue));
      const facts = [
        () => applyFill(ledger, fill(venue, '7', 'buy', 100, 2)),
        () => applyFunding(ledger, funding(venue, '7', 5n, 10)),
        () => applyFunding(ledger, { ...funding(venue, '7', 5n, 10), account: 'other' }),
        () => applyAdjustment(ledger, `adjust:${venue}:7`, { ...keyOf(venue), changeLots: 1, evidence: 'test' }),
      ];
      expect(facts.map((apply) => apply())).toEqual([true, true, true, true]);
      expect(facts.map((apply) => apply())).toEqual([false, false, false, false]);
    }
  });

  it('remembers at least the newest 100,000 facts of all venues together, and at most twice as many', () => {
    const ledger = emptyLedger();
    const payment = (id: number): FundingFact => funding(id % 2 === 0 ? 'L' : 'E', String(id), 1n, id);
    for (let id = 0; id < 2 * APPLIED_MAX; id++) applyFunding(ledger, payment(id));
    // The first of the second generation is known, the last of the first no more: it was forgotten with all of its generation.
    expect(applyFunding(ledger, payment(APPLIED_MAX))).toBe(false);
    expect(applyFunding(ledger, payment(2 * APPLIED_MAX - 1))).toBe(false);
    expect(applyFunding(ledger, payment(APPLIED_MAX - 1))).toBe(true);
  });

  it('T9: gives the same books whichever rows are read twice, and from wherever a crash made it begin again', () => {
    const trade = fc.record({
      kind: fc.constantFrom('fill' as const, 'funding' as const, 'adjust' as const, 'closed' as const),
      side: fc.constantFrom('buy' as const, 'sell' as const),
      ticks: fc.integer({ min: 1, max: 200_000 }),
      lots: fc.integer({ min: 1, max: 500 }),
    });
    const rowsFrom = (
      trades: readonly { kind: string; side: 'buy' | 'sell'; ticks: number; lots: number }[],
    ): FactRow[] => [
      { id: 'i', type: 'config', atMs: 0, payload: { instrument: steps('L') } },
      { id: 'o', type: 'order-planned', atMs: 0, payload: { order: order('L', 'buy', 'p1', 'long') } },
      ...trades.map(({ kind, side, ticks, lots }, at): FactRow => {
        const common = { id: `row ${at}`, atMs: at };
        switch (kind) {
          case 'fill':
            return { ...common, type: 'fill', payload: { event: fill('L', String(at), side, ticks * 0.05, lots) } };
          case 'funding':
            return { ...common, type: 'funding', payload: { event: funding('L', String(at), BigInt(ticks), at) } };
          case 'adjust': {
            const adjustment = { ...keyOf('L'), changeLots: lots, priceNano: BigInt(ticks), evidence: 'test' };
            return { ...common, type: 'adjust', payload: { adjustment, pairId: 'p1' } };
          }
          default:
            return { ...common, type: 'pair-state', payload: { pair: { pairId: 'p1', phase: 'CLOSED' } } };
        }
      }),
    ];
    fc.assert(
      fc.property(fc.array(trade, { maxLength: 12 }), fc.nat(), fc.nat(), (trades, from, until) => {
        const all = rowsFrom(trades);
        const whole = foldLedger(all);
        expect(foldLedger(all)).toEqual(whole);
        const [one, other] = [from % all.length, until % all.length];
        const [first, last] = one < other ? [one, other] : [other, one];
        // Whoever recovers may crash again and read the same rows anew, or be handed a page twice.
        expect(foldLedger([...all, ...all.slice(first, last)])).toEqual(whole);
        const ledger = emptyLedger();
        for (const row of [...all.slice(0, last), ...all.slice(first)]) applyRowToLedger(ledger, row);
        expect(ledger).toEqual(whole);
      }),
      propertyRuns(),
    );
  });
});
