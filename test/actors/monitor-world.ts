/** A small true story in journal rows (a pair opened, paid and closed at two venues), and a monitor that reads it. Tests only. */
import { monitor } from '../../actors/monitor.ts';
import type { MonitorArgs } from '../../actors/monitor.ts';
import type { MonitorMessage } from '../../actors/monitor-messages.ts';
import type { PairChanged } from '../../actors/position-messages.ts';
import type { FillFact, FundingFact, LegSide, OrderPurposeName, PlannedOrder } from '../../src/execution/facts.ts';
import type { InstrumentSteps } from '../../src/execution/ledger.ts';
import type { PairPhase, PairRecord } from '../../src/execution/pair.ts';
import type { MicroUnits, PicoRate, PriceTicks, QuantityLots, SignedLots } from '../../src/money/units.ts';
import { pageOfRows } from '../../src/storage/row-page.ts';
import type { JournalRow, JournalRowType } from '../../src/storage/rows.ts';
import { stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

export const BASE = 'ETH';
export const STARTS_AT_MS = 1_767_225_600_000;

/** Ticks of 0.05, lots of 0.1 ETH. */
export const stepsOf = (venue: string): InstrumentSteps => ({
  venue,
  symbol: 'ETH',
  priceDecimals: 2,
  tickUnits: 5,
  quantityDecimals: 1,
  lotUnits: 1,
  multiplier: 1,
});

/** Writes rows as the journal would hand them out. */
export class Story {
  readonly rows: JournalRow[] = [];
  #atMs = STARTS_AT_MS;

  get nowMs(): number {
    return this.#atMs;
  }

  wait(ms: number): void {
    this.#atMs += ms;
  }

  row(type: JournalRowType, id: string, payload: JournalRow['payload'], correlation: string = BASE): void {
    const sequence = this.rows.length + 1;
    this.rows.push({ id, type, atMs: this.#atMs, actor: 'test', correlation, payload, sequence });
  }

  instruments(): void {
    for (const venue of ['L', 'S']) this.row('config', `instrument:${venue}:ETH`, { instrument: stepsOf(venue) });
  }

  engine(state: string): void {
    this.row('engine-state', `engine:${this.rows.length}`, { state, reason: 'test', flatten: false }, '');
  }

  pair(phase: PairPhase, fields: Partial<PairRecord> = {}): void {
    const record = recordOf(phase, this.#atMs, { revision: this.rows.length, ...fields });
    this.row('pair-state', `pair-state:${record.pairId}:${this.rows.length}`, { pair: record });
  }

  order(clientOrderId: string, fields: Partial<PlannedOrder> = {}): void {
    const order = orderOf(clientOrderId, this.#atMs, fields);
    this.row('order-planned', `order-planned:${order.venue}:${clientOrderId}:${this.rows.length}`, { order });
  }

  fill(
    venue: string,
    fillId: string,
    clientOrderId: string,
    side: 'buy' | 'sell',
    lots: number,
    price: number,
    feeMicro = 0n,
  ): void {
    const event: FillFact = {
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
        venueAtMs: this.#atMs,
      },
    };
    this.row('fill', `fill:${venue}:main:${fillId}`, { event });
  }

  expected(venue: string, settleAtMs: number, expectedMicro: bigint): void {
    const leg = `${venue}:main:ETH`;
    this.row('funding-expected', `funding-expected:${leg}:${settleAtMs}`, {
      expected: { leg, settleAtMs, expectedMicro },
    });
  }

  payment(venue: string, settledAtMs: number, amountMicro: bigint): void {
    const event: FundingFact = {
      type: 'funding-paid',
      venue,
      account: 'main',
      symbol: 'ETH',
      payment: {
        paymentId: `${venue}:${settledAtMs}`,
        symbol: 'ETH',
        amountMicro: amountMicro as MicroUnits,
        rate: 0 as PicoRate,
        signedLots: 0 as SignedLots,
        settledAtMs,
      },
    };
    this.row('funding', `funding:${venue}:main:${settledAtMs}`, { event });
  }

  /** EX-13 up to the open pair: 3.3 ETH long at L for 3000.95, short at S for 3001.15. */
  open(): void {
    this.instruments();
    this.pair('PREFLIGHT');
    this.order('open-L', { leg: 'long', midTicks: 60_018, feeRate: 250_000_000 });
    this.order('open-S', { venue: 'S', leg: 'short', side: 'sell', midTicks: 60_024, feeRate: 0 });
    this.pair('OPENING');
    this.fill('S', '1', 'open-S', 'sell', 33, 3001.15);
    this.wait(80);
    this.fill('L', '1', 'open-L', 'buy', 33, 3000.95, -2_475_784n);
    this.pair('OPEN', { openedAtMs: this.#atMs });
  }

  /** Both payments of one settlement. */
  paid(): void {
    this.wait(3_600_000);
    const settleAtMs = this.#atMs;
    this.expected('S', settleAtMs, 6_930_000n);
    this.expected('L', settleAtMs, 1_980_000n);
    this.payment('S', settleAtMs, 6_930_000n);
    this.payment('L', settleAtMs, 1_980_000n);
  }

  /** EX-13 to its end. */
  close(): void {
    this.pair('CLOSING', { exitReason: 'TAKE_PROFIT', openedAtMs: STARTS_AT_MS + 80 });
    this.order('close-L', {
      leg: 'long',
      side: 'sell',
      purpose: 'close',
      reduceOnly: true,
      midTicks: 61_003,
      feeRate: 250_000_000,
    });
    this.order('close-S', {
      venue: 'S',
      leg: 'short',
      purpose: 'close',
      reduceOnly: true,
      midTicks: 61_007,
      feeRate: 0,
    });
    this.fill('L', '2', 'close-L', 'sell', 33, 3050.1, -2_516_333n);
    this.wait(120);
    this.fill('S', '2', 'close-S', 'buy', 33, 3050.4);
    this.pair('CLOSED', {
      exitReason: 'TAKE_PROFIT',
      openedAtMs: STARTS_AT_MS + 80,
      closedAtMs: this.#atMs,
    });
  }
}

export function orderOf(clientOrderId: string, plannedAtMs: number, fields: Partial<PlannedOrder> = {}): PlannedOrder {
  return {
    venue: 'L',
    account: 'main',
    symbol: 'ETH',
    clientOrderId,
    pairId: 'ETH-1',
    leg: 'long' as LegSide,
    purpose: 'open' as OrderPurposeName,
    attempt: 1,
    side: 'buy',
    lots: 33,
    limitTicks: 60_100,
    reduceOnly: false,
    validUntilMs: plannedAtMs + 5_000,
    plannedAtMs,
    ...fields,
  };
}

export function recordOf(phase: PairPhase, atMs: number, fields: Partial<PairRecord> = {}): PairRecord {
  const leg = (venue: string) => ({
    venue,
    account: 'main',
    symbol: 'ETH',
    lots: 33,
    limitTicks: 60_100,
    vwapTicks: 60_019,
  });
  return {
    pairId: 'ETH-1',
    base: BASE,
    revision: 1,
    phase,
    reason: '',
    long: leg('L'),
    short: leg('S'),
    expected: {
      netHourlyQuote: 0.44567655,
      expectedValueQuote: 13.8012369,
      roundTripCostQuote: 7.5912375,
      entryBasisBps: 0.67,
      capitalQuote: 3_961.386,
    },
    decidedAtMs: STARTS_AT_MS,
    enteredAtMs: atMs,
    openedAtMs: 0,
    closedAtMs: 0,
    exitReason: '',
    brokenOrders: 0,
    failures: 0,
    cooldownUntilMs: 0,
    ...fields,
  };
}

/** What the position actor shows of the story's open pair before anything was paid. */
export function openPicture(fields: Partial<PairChanged> = {}): PairChanged {
  return {
    type: 'pair-changed',
    base: BASE,
    phase: 'OPEN',
    pairId: 'ETH-1',
    reason: '',
    long: leg('L', 33, 9_903_135_000n),
    short: leg('S', -33, -9_903_795_000n),
    openedAtMs: STARTS_AT_MS,
    closedAtMs: 0,
    fundingMicro: 0n,
    feesMicro: -2_475_784n,
    realisedMicro: 0n,
    fundingPayments: 0,
    liveOrders: 0,
    drained: false,
    cooldownUntilMs: 0,
    closedPairs: 0,
    closedNetMicro: 0n,
    closedFundingMicro: 0n,
    notionalMicro: 9_903_795_000n,
    exposureQuoteSec: 0,
    owedMicro: 0n,
    ...fields,
  };
}

export function leg(venue: string, signedLots: number, costMicro: bigint): NonNullable<PairChanged['long']> {
  return { venue, account: 'main', symbol: 'ETH', signedLots, averagePrice: 0, costMicro, reportedLots: signedLots };
}

export function stageMonitor(args: Partial<MonitorArgs> = {}, options: StageOptions<unknown> = {}) {
  const whole: MonitorArgs = {
    journalPath: 'journal',
    guardPath: 'guard',
    observerPath: 'observer',
    bases: [BASE],
    calendarScale: 1,
    ...args,
  };
  const actor = stage(monitor, whole, options);
  /** Answers what the monitor asks of the journal, until it has read all of it. */
  const read = (story: Story, pageRows = 64): void => {
    for (;;) {
      const { sequence } = actor.state();
      if (actor.state().askedAtMs === undefined) actor.advance(250);
      const rows = story.rows.slice(sequence, sequence + pageRows);
      const complete = sequence + rows.length >= story.rows.length;
      actor.deliver({ type: 'rows-read', readId: sequence, page: pageOfRows(rows), complete } satisfies MonitorMessage);
      if (complete) return;
    }
  };
  const kills = (): readonly string[] =>
    actor.sentTo('guard').map((message) => ('reason' in message ? String(message.reason) : ''));
  const broken = (): readonly string[] =>
    actor.logged.filter(({ event }) => event === 'identity-broken').map(({ fields }) => String(fields['identity']));
  return { actor, read, kills, broken };
}
