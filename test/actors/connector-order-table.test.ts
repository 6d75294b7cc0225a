/** The table drawn of an order's phases in a connector says what the code does, and all of it. */
import { it } from 'vitest';
import { orderFilled, orderObserved, orderReported, rememberOrder } from '../../actors/connector/orders.ts';
import type { LocalChange } from '../../actors/connector/orders.ts';
import type { MicroUnits, PriceTicks, QuantityLots } from '../../src/money/units.ts';
import { refOf } from '../../src/runtime/actor.ts';
import type { OrderReport } from '../../src/venues/venue.ts';
import { changesOf, expectDrawn } from '../drawn-table.ts';
import { bareConnector } from './bare-connector.ts';

const SYMBOL = 'BTC-USD';
const OBSERVED: readonly LocalChange['status'][] = ['sending', 'accepted', 'refused', 'unknown', 'not-found'];
const REPORTED: readonly OrderReport['status'][] = ['open', 'filled', 'cancelled', 'rejected', 'expired'];

/** What happened to an order, in turn: its phase follows from all of it. */
type Life = readonly string[];

function phaseAfter(life: Life): string {
  // The order's bookkeeping alone: this connector starts nothing and sends nothing.
  const { state, self } = bareConnector('extended');
  state.baseBySymbol.set(SYMBOL, 'BTC');
  const order = {
    clientOrderId: '42',
    symbol: SYMBOL,
    side: 'buy',
    lots: 10 as QuantityLots,
    limitTicks: 1 as PriceTicks,
    timeInForce: 'ioc',
    postOnly: false,
    reduceOnly: false,
    validUntilMs: 0,
  } as const;
  rememberOrder(state, self, order, 'open', refOf('position/BTC'));
  life.forEach((happening, index) => {
    const observed = OBSERVED.find((status) => happening === `observed ${status}`);
    const reported = REPORTED.find((status) => happening === `reported ${status}`);
    const ids = { symbol: SYMBOL, clientOrderId: '42', venueOrderId: 'v' };
    if (observed !== undefined) orderObserved(state, self, SYMBOL, '42', { status: observed });
    else if (reported !== undefined) {
      const { side, lots } = order;
      orderReported(state, self, { ...ids, status: reported, side, lots, venueAtMs: 0, sequence: index });
    } else {
      const lots = (happening === 'rest filled' ? 10 : 3) as QuantityLots;
      const common = { priceTicks: 1 as PriceTicks, feeMicro: 0n as MicroUnits, liquidity: 'taker' } as const;
      orderFilled(state, self, { ...ids, ...common, fillId: `f${index}`, side: 'buy', lots, venueAtMs: 0 });
    }
  });
  const track = state.orders.get('42');
  const isOurs = track?.lastEvent?.status === 'refused' || track?.lastEvent?.status === 'not-found';
  return track?.phase === 'ended' && isOurs ? 'ended by us' : (track?.phase ?? 'forgotten');
}

it('an order of a connector', () => {
  const samples: Readonly<Record<string, Life>> = {
    unsent: [],
    sent: ['observed sending'],
    unknown: ['observed sending', 'observed unknown'],
    live: ['observed sending', 'reported open'],
    ended: ['observed sending', 'reported cancelled'],
    'ended by us': ['observed sending', 'observed refused'],
  };
  const happenings = [
    ...OBSERVED.map((status) => `observed ${status}`),
    ...REPORTED.map((status) => `reported ${status}`),
    'part filled',
    'rest filled',
  ];
  const events = Object.fromEntries(
    happenings.map((happening) => [happening, (life: Life): Life => [...life, happening]]),
  );
  expectDrawn('actors/connector/orders.ts', changesOf(samples, events, phaseAfter));
});
