/** Rows as a trading engine writes them, any number: one pair's life after the other, over several symbols. Main thread. */
import { encodeRow } from '../../src/storage/hash-chain.ts';
import type { EncodedRow } from '../../src/storage/hash-chain.ts';
import type { JournalRow, JournalRowType } from '../../src/storage/rows.ts';

export const BASES = ['BTC', 'ETH', 'SOL', 'DOGE', 'HYPE'] as const;
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2025, 0, 1);
/** A pair is held for two days: 48 payments on each leg, which makes most rows of an engine that holds its pairs. */
const HELD_HOURS = 48;
const LOTS = 1_120;
const PRICE_TICKS = 892_600;

interface Leg {
  readonly venue: string;
  readonly side: 'buy' | 'sell';
  readonly leg: 'long' | 'short';
}

const LEGS: readonly Leg[] = [
  { venue: 'lighter', side: 'buy', leg: 'long' },
  { venue: 'extended', side: 'sell', leg: 'short' },
];

/** The definitions that stand before everything else. */
export function definitionRows(): readonly EncodedRow[] {
  return BASES.flatMap((base) =>
    LEGS.map(({ venue }) =>
      row('config', `instrument:${venue}:${base}`, base, 'position', START_MS, {
        instrument: {
          ...{ venue, symbol: base, priceDecimals: 1, tickUnits: 1, quantityDecimals: 5, lotUnits: 1, multiplier: 1 },
        },
      }),
    ),
  );
}

/** One pair from plan to closed books, 116 rows. */
export function pairRows(index: number): readonly EncodedRow[] {
  const base = BASES[index % BASES.length] ?? BASES[0];
  const pairId = `${base}-${String(index).padStart(9, '0')}`;
  const openedAtMs = START_MS + Math.floor(index / BASES.length) * (HELD_HOURS + 1) * HOUR_MS;
  const closedAtMs = openedAtMs + HELD_HOURS * HOUR_MS;
  return [
    pairState(base, pairId, 1, 'OPENING', openedAtMs),
    ...LEGS.flatMap((leg) => orderRows(base, pairId, leg, 'open', index, openedAtMs)),
    pairState(base, pairId, 2, 'OPEN', openedAtMs + 500),
    ...LEGS.flatMap((leg) =>
      Array.from({ length: HELD_HOURS }, (_, hour) =>
        fundingRow(base, leg, `${index}-${hour}`, openedAtMs + (hour + 1) * HOUR_MS),
      ),
    ),
    pairState(base, pairId, 3, 'CLOSING', closedAtMs),
    ...LEGS.flatMap((leg) => orderRows(base, pairId, leg, 'close', index, closedAtMs)),
    pairState(base, pairId, 4, 'CLOSED', closedAtMs + 500),
  ];
}

/** One trade: a fill as a connector writes it. */
export function tradeRow(index: number): EncodedRow {
  return encodeRow(trade(index));
}

/** The same before it is encoded. */
export function trade(index: number): JournalRow {
  const base = BASES[index % BASES.length] ?? BASES[0];
  return fillOf(base, LEGS[0] ?? { venue: 'lighter', side: 'buy', leg: 'long' }, `t${index}`, `t${index}`, START_MS);
}

function pairState(base: string, pairId: string, revision: number, phase: string, atMs: number): EncodedRow {
  const leg = (venue: string): object => ({
    ...{ venue, account: 'main', symbol: base, lots: LOTS, limitTicks: PRICE_TICKS, vwapTicks: PRICE_TICKS },
  });
  return row('pair-state', `pair-state:${pairId}:${revision}`, base, `position/${base}`, atMs, {
    pair: {
      ...{ pairId, base, revision, phase, reason: phase === 'OPEN' ? 'CONFIRMED' : '', exitReason: '' },
      ...{ long: leg('lighter'), short: leg('extended'), decidedAtMs: atMs, enteredAtMs: atMs },
      ...{ openedAtMs: revision > 1 ? atMs : 0, closedAtMs: revision > 3 ? atMs : 0, brokenOrders: 0, failures: 0 },
      cooldownUntilMs: 0,
      expected: {
        ...{ netHourlyQuote: 0.038, expectedValueQuote: 4.56, roundTripCostQuote: 0.648, entryBasisBps: -6.9 },
        capitalQuote: 999.7,
      },
    },
  });
}

function orderRows(
  base: string,
  pairId: string,
  { venue, side, leg }: Leg,
  purpose: 'open' | 'close',
  index: number,
  atMs: number,
): readonly EncodedRow[] {
  const clientOrderId = String(268_435_457 + index * 4 + (purpose === 'open' ? 0 : 2) + (leg === 'long' ? 0 : 1));
  const taken = { venue, side: purpose === 'open' ? side : side === 'buy' ? 'sell' : 'buy', leg } as const;
  const event = (status: string, filledLots?: number): EncodedRow =>
    row('order-event', `order:${venue}:main:${clientOrderId}:${status}`, base, `connector/${venue}:main`, atMs, {
      event: {
        ...{ type: 'order-changed', venue, account: 'main', symbol: base, clientOrderId, status },
        ...{ venueOrderId: `v${clientOrderId}`, code: '', reason: '', atMs, sequence: index },
        ...(filledLots === undefined ? {} : { filledLots }),
      },
    });
  return [
    row('order-planned', `order-planned:${venue}:main:${clientOrderId}`, base, `position/${base}`, atMs, {
      order: {
        ...{ venue, account: 'main', symbol: base, clientOrderId, pairId, leg, purpose, attempt: 1, side: taken.side },
        ...{ lots: LOTS, limitTicks: PRICE_TICKS, reduceOnly: purpose === 'close' },
        ...{ validUntilMs: atMs + 5_000, plannedAtMs: atMs },
      },
    }),
    event('accepted'),
    encodeRow(fillOf(base, taken, clientOrderId, `f${clientOrderId}`, atMs)),
    event('filled', LOTS),
  ];
}

function fillOf(base: string, { venue, side }: Leg, clientOrderId: string, fillId: string, atMs: number): JournalRow {
  return fact('fill', `fill:${venue}:main:${fillId}`, base, `connector/${venue}:main`, atMs, {
    event: {
      ...{ type: 'fill-received', venue, account: 'main', symbol: base },
      fill: {
        ...{ fillId, symbol: base, clientOrderId, venueOrderId: `v${clientOrderId}`, side, priceTicks: PRICE_TICKS },
        ...{ lots: LOTS, feeMicro: -249_752n, liquidity: 'taker', venueAtMs: atMs },
      },
    },
  });
}

function fundingRow(base: string, { venue, leg }: Leg, paymentId: string, atMs: number): EncodedRow {
  return row('funding', `funding:${venue}:main:${paymentId}`, base, `connector/${venue}:main`, atMs, {
    event: {
      ...{ type: 'funding-paid', venue, account: 'main', symbol: base },
      payment: {
        ...{ paymentId, symbol: base, amountMicro: leg === 'long' ? -12_345n : 23_456n },
        ...{ rate: 12_500_000, signedLots: leg === 'long' ? LOTS : -LOTS, settledAtMs: atMs },
      },
    },
  });
}

function row(...of: Parameters<typeof fact>): EncodedRow {
  return encodeRow(fact(...of));
}

function fact(
  type: JournalRowType,
  id: string,
  correlation: string,
  actor: string,
  atMs: number,
  payload: Readonly<Record<string, unknown>>,
): JournalRow {
  return { id, type, atMs, actor, correlation, payload };
}
