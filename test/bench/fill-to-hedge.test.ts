import { describe, expect, it } from 'vitest';
import { FillingVenue } from '../../bench/fill-to-hedge/filling-venue.ts';
import { BASE, FLOODED_BASE, MAKER_VENUE, TAKER } from '../../bench/fill-to-hedge/plan.ts';
import type { LoadPlan, VenueReport } from '../../bench/fill-to-hedge/plan.ts';
import { ACCOUNT } from '../../bench/order-path/plan.ts';
import type { Instrument } from '../../src/market/instrument.ts';
import type { Exchange, ExchangeOrderState } from '../../src/simulation/exchange.ts';
import { simulatedMarkets } from '../../src/simulation/markets.ts';
import type { SimulatedVenue, VenueOutput } from '../../src/simulation/simulated-venue.ts';

function marketOf(base: string): Instrument {
  const [market] = simulatedMarkets(MAKER_VENUE, [base]);
  if (market === undefined) throw new Error(`${MAKER_VENUE} lists ${base}`);
  return market;
}

describe('a filling venue', () => {
  const [quoted, flooded] = [marketOf(BASE), marketOf(FLOODED_BASE)];
  const at = (monotonicMs: number) => ({ calendarMs: monotonicMs, monotonicMs });
  const texts = (outputs: readonly VenueOutput[]): readonly string[] =>
    outputs.flatMap((output) => (output.type === 'socket-text' ? [output.text] : []));

  /** Takes every order at once and tells of it; its book holds 70 lots of others and our quote of 1,000 at the bid. */
  function filling() {
    const reports: VenueReport[] = [];
    const failures: string[] = [];
    const taken: { readonly account: string; readonly side: string; readonly lots: number }[] = [];
    let nowNs = 0n;
    // Its own book, in whose place the flood begins.
    const text = `{"type":"SNAPSHOT","data":{"t":"SNAPSHOT","m":"${flooded.symbol}","b":[],"a":[],"d":"f"}}`;
    let told: VenueOutput[] = [{ type: 'socket-text', socketId: 1, text }];
    const quote = {
      ...{ account: ACCOUNT, clientOrderId: '7', symbol: quoted.symbol, side: 'buy', lots: 1_000, filledLots: 0 },
      ...{ limitTicks: 90_000, status: 'open', postOnly: true },
    } as ExchangeOrderState;
    const exchange = {
      book: () => ({
        bids: [
          [90_000, 1_050],
          [89_999, 500],
        ],
        asks: [[90_001, 30]],
      }),
      orders: () => [quote],
      submit: (order: (typeof taken)[number]) => {
        taken.push(order);
        told = [{ type: 'socket-text', socketId: 2, text: '{"type":"TRADE","data":{}}' }];
        return { accepted: true, venueOrderNumber: 1 };
      },
    } as unknown as Exchange;
    const inner: SimulatedVenue = {
      venue: MAKER_VENUE,
      handle: () => told.splice(0),
      nextWakeMs: () => Infinity,
      oracle: () => ({ accounts: new Map(), rateLimitRefusals: 0 }),
      inject: () => undefined,
    };
    const venue = new FillingVenue({
      ...{ inner, exchange, quoted, flooded, seed: 1, hrtimeNs: () => nowNs },
      onFinished: (report) => reports.push(report),
      onFailed: (reason) => failures.push(reason),
    });
    const path = `/v1/orderbooks/${flooded.symbol}`;
    venue.handle({ type: 'socket-requested', socketId: 1, remote: '', path, headers: {} }, at(0));
    return { venue, reports, failures, taken, setNs: (ns: bigint) => (nowNs = ns) };
  }
  const plan: LoadPlan = { framesPerSecond: 1_000, fills: 2, spacingMinMs: 10, spacingMaxMs: 10 };

  it('takes what stands before the quote and a piece of it, and times each piece until its hedge', () => {
    const { venue, reports, failures, taken, setNs } = filling();
    venue.begin(plan, at(0));
    expect(texts(venue.handle({ type: 'tick' }, at(9)))).toHaveLength(9);
    expect(taken).toEqual([]);
    const outputs = venue.handle({ type: 'tick' }, at(10));
    expect(taken).toMatchObject([{ account: TAKER, side: 'sell', lots: 50 + 200 }]);
    setNs(5n);
    texts(outputs);
    // Nothing more is taken until the hedge is there.
    venue.handle({ type: 'tick' }, at(40));
    expect(taken).toHaveLength(1);
    venue.hedgeArrived(9n, at(41));
    const next = venue.handle({ type: 'tick' }, at(51));
    setNs(20n);
    texts(next);
    venue.hedgeArrived(27n, at(60));
    expect(failures).toEqual([]);
    expect(reports).toMatchObject([{ hedgedAfterNs: [4n, 7n] }]);
    // Orders after the run close the pair.
    venue.hedgeArrived(99n, at(61));
    expect(reports).toHaveLength(1);
  });

  it('refuses a run with a hedge that answers no fill', () => {
    const { venue, failures } = filling();
    venue.begin(plan, at(0));
    venue.hedgeArrived(1n, at(5));
    expect(failures).toEqual(['each hedge must answer a fill, one answers none']);
  });

  it('refuses a run with a fill that nobody hedges', () => {
    const { venue, failures } = filling();
    venue.begin(plan, at(0));
    venue.handle({ type: 'tick' }, at(10));
    venue.handle({ type: 'tick' }, at(10_011));
    expect(failures).toEqual(['fill 1 must be hedged within 10000 ms']);
  });
});
