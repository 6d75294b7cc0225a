/** What the last gate holds against an order that reduces, at a venue with a reduce-only rule and at one without. */
import { expect, it } from 'vitest';
import { placeOrder } from '../../actors/connector/commands.ts';
import { positionFilled, positionReported } from '../../actors/connector/positions.ts';
import type { SignedLots, MicroUnits, PriceTicks, QuantityLots } from '../../src/money/units.ts';
import { createOrderGate } from '../../src/risk/approval.ts';
import { refOf } from '../../src/runtime/actor.ts';
import { instrument } from '../market/instruments.ts';
import { bareConnector } from './bare-connector.ts';

const INSTRUMENT = instrument();
const { symbol } = INSTRUMENT;
/** Nobody tells a price here: an order that is asked for one has nothing against it in the position. */
const PASSES = 'NO_REFERENCE_PRICE';

interface Facts {
  readonly reportedLots?: number;
  /** Lots sold since. */
  readonly soldLots?: number;
  readonly isReconciled?: boolean;
}

/** Returns why the gate denies a sale of so many lots that should only reduce. */
function refusalOf(lacksReduceOnly: boolean, lots: number, facts: Facts): string | undefined {
  const { state, self } = bareConnector('extended');
  if (lacksReduceOnly) Object.assign(state, { adapter: { ...state.adapter, lacksReduceOnly } });
  state.gate = createOrderGate({ ...state.args.gate, symbols: [symbol] });
  state.instruments.set(symbol, INSTRUMENT);
  state.isRunning = true;
  state.ordersAllowed = 'all';
  state.reconciled = facts.isReconciled ?? true;
  if (facts.reportedLots !== undefined)
    positionReported(state, self, symbol, { symbol, signedLots: facts.reportedLots as SignedLots }, undefined);
  if (facts.soldLots !== undefined) {
    const ids = { symbol, clientOrderId: '1', venueOrderId: 'v', fillId: 'f', side: 'sell' } as const;
    const money = { priceTicks: 1 as PriceTicks, feeMicro: 0n as MicroUnits, liquidity: 'taker' } as const;
    const lotsSold = facts.soldLots as QuantityLots;
    positionFilled(state, self, { ...ids, ...money, lots: lotsSold, venueAtMs: self.nowMs() }, false);
  }
  const order = {
    clientOrderId: '42',
    symbol,
    side: 'sell',
    lots: lots as QuantityLots,
    limitTicks: 1 as PriceTicks,
    timeInForce: 'ioc',
    postOnly: false,
    reduceOnly: true,
    validUntilMs: self.nowMs() + 5_000,
  } as const;
  const purpose = { purpose: 'close', pairId: 'p1', leg: 'long', attempt: 1 } as const;
  placeOrder(state, self, { type: 'place-order', order, purpose, replyTo: refOf('position/BTC') });
  return state.orders.get('42')?.lastEvent?.code;
}

it.each([
  ['before the first comparison', { reportedLots: 100, isReconciled: false }, 10, 'POSITION_UNKNOWN', PASSES],
  ['before the venue told the position', {}, 10, 'POSITION_UNKNOWN', PASSES],
  ['of no more than is held', { reportedLots: 100 }, 100, PASSES, PASSES],
  ['of more than is held', { reportedLots: 100 }, 101, 'REDUCE_ONLY_INCREASES', 'REDUCE_ONLY_INCREASES'],
  ['of what newer fills leave', { reportedLots: 100, soldLots: 40 }, 60, PASSES, PASSES],
  ['of what newer fills have closed already', { reportedLots: 100, soldLots: 40 }, 61, 'REDUCE_ONLY_INCREASES', PASSES],
  ['after fills beyond what is held', { reportedLots: 100, soldLots: 140 }, 10, 'REDUCE_ONLY_INCREASES', PASSES],
] as const)('a reduction %s', (_what, facts, lots, where, elsewhere) => {
  expect(refusalOf(true, lots, facts)).toBe(where);
  expect(refusalOf(false, lots, facts)).toBe(elsewhere);
});
