/** A simulated exchange with one clock the test moves; 1 calendar ms per monotonic ms unless stated. */
import type { Instrument } from '../../src/market/instrument.ts';
import type { MicroUnits, PicoRate, QuantityLots } from '../../src/money/units.ts';
import type {
  Exchange,
  ExchangeEvent,
  ExchangeOptions,
  ExchangeOrder,
  SubmitOutcome,
} from '../../src/simulation/exchange.ts';
import { noteFacts } from '../../src/simulation/exchange-facts.ts';
import type { ExchangeFact } from '../../src/simulation/exchange-facts.ts';
import { createExchange } from '../../src/simulation/exchange-engine.ts';
import type { MarketTape } from '../../src/simulation/market-tape.ts';
import { START_MS, plainTape } from './plain-tape.ts';

export function market(symbol: string, change: Partial<Instrument> = {}): Instrument {
  return {
    venue: 'lighter',
    symbol,
    base: symbol,
    quote: 'USDC',
    multiplier: 1,
    priceDecimals: symbol === 'BTC' ? 1 : 3,
    tickUnits: 1,
    quantityDecimals: symbol === 'BTC' ? 5 : 3,
    lotUnits: 1,
    minQuantityLots: 20 as QuantityLots,
    minNotionalMicro: 10_000_000n as MicroUnits,
    maxNotionalMicro: 1_000_000_000_000n as MicroUnits,
    maxLeverage: 20,
    maintenanceMarginRate: 12_000_000_000 as PicoRate,
    makerFee: 0 as PicoRate,
    takerFee: 250_000_000 as PicoRate,
    fundingIntervalMs: 3_600_000,
    fundingPrice: 'mark',
    status: 'active',
    priceBand: 50_000_000_000 as PicoRate,
    ...change,
  };
}

export interface ExchangeStage {
  readonly exchange: Exchange;
  readonly options: ExchangeOptions;
  readonly takeFacts: () => readonly ExchangeFact[];
  readonly events: ExchangeEvent[];
  now(): { readonly calendarMs: number; readonly monotonicMs: number };
  pass(ms: number): readonly ExchangeEvent[];
  submit(order: Partial<ExchangeOrder> & { readonly lots: number; readonly side: 'buy' | 'sell' }): SubmitOutcome;
}

export function stageExchange(
  tape: MarketTape = plainTape({ priceAt: () => 90_000 }),
  change: Partial<ExchangeOptions> = {},
  scale = 1,
): ExchangeStage {
  const options: ExchangeOptions = {
    venue: 'lighter',
    markets: [market('BTC'), market('SOL')],
    accounts: [
      { name: 'main', openingWalletMicro: 100_000_000_000n, leverage: 5 },
      { name: 'other', openingWalletMicro: 100_000_000_000n, leverage: 5 },
    ],
    tape,
    seed: 7,
    takerDelayMs: 300,
    makerDelayMs: 200,
    cancelDelayMs: 100,
    bookIntervalMs: 250,
    ...change,
  };
  const { exchange, takeFacts } = noteFacts(createExchange(options));
  let monotonicMs = 1_000;
  let orders = 0;
  const now = (): { calendarMs: number; monotonicMs: number } => ({
    calendarMs: START_MS + (monotonicMs - 1_000) * scale,
    monotonicMs,
  });
  const events: ExchangeEvent[] = [];
  const collect = (): readonly ExchangeEvent[] => {
    const news = exchange.advance(now());
    events.push(...news);
    return news;
  };
  collect();
  return {
    exchange,
    options,
    takeFacts,
    events,
    now,
    pass: (ms) => {
      monotonicMs += ms;
      return collect();
    },
    submit: (order) => {
      orders += 1;
      const symbol = order.symbol ?? 'BTC';
      const price = Number(exchange.stats(symbol).markNano) / 1e9;
      const worst = order.side === 'buy' ? price * 1.01 : price * 0.99;
      return exchange.submit(
        {
          account: 'main',
          clientOrderId: String(orders),
          symbol,
          limitTicks: Math.round(worst * (symbol === 'BTC' ? 10 : 1_000)),
          timeInForce: 'ioc',
          postOnly: false,
          reduceOnly: false,
          validUntilMs: now().calendarMs + 3_600_000 * 24 * 28,
          ...order,
        },
        now(),
      );
    },
  };
}
