/** The markets of the simulated venues, with the real venues' steps, minimums, fees and margins. Plain data; any thread. */
import type { Instrument } from '../market/instrument.ts';
import { parseDecimal } from '../money/decimal.ts';
import { hostsOf } from '../venues/hosts.ts';
import { MADE_UP_NAMES, modelOf } from './made-up.ts';
import type { MicroUnits, PicoRate, QuantityLots } from '../money/units.ts';

/** Decimal texts as the venue states them. Tick and lot are one unit of their last decimal unless `tick` or `lot` says otherwise. */
interface MarketFacts {
  readonly base: string;
  /** Units of the base per contract; absent: 1. */
  readonly multiplier?: number;
  readonly tick: string;
  readonly lot: string;
  readonly minQuantity: string;
  readonly maxLeverage: number;
  /** Percent. */
  readonly maintenance: number;
  readonly maxNotional: string;
  /** Percent around mark; absent where the venue states none. */
  readonly priceBand?: number;
  /** Contracts in one order; absent where only the notional is bounded. */
  readonly maxLots?: number;
}

interface VenueFacts {
  /** The venue's symbol of a contract, for example of BTC or of 1000PEPE. */
  readonly symbolOf: (contract: string) => string;
  /** What stands before a base whose contract is a thousand of it. */
  readonly thousand: string;
  readonly quote: string;
  readonly minNotional: string;
  /** Percent of notional. */
  readonly makerFee: number;
  readonly takerFee: number;
  readonly fundingPrice: Instrument['fundingPrice'];
  readonly fundingHours: number;
  readonly priceDigitsMax?: number;
  readonly markets: readonly MarketFacts[];
}

/** Lighter, standard tier: no fees. Steps and minimums of its order-book list of 2025-12-08. */
const LIGHTER_ORDER_MAX = '281474976.710655';
const LIGHTER: VenueFacts = {
  symbolOf: (contract) => contract,
  thousand: '1000',
  quote: 'USDC',
  minNotional: '10',
  makerFee: 0,
  takerFee: 0,
  fundingPrice: 'mark',
  fundingHours: 1,
  markets: (
    [
      ['BTC', '0.1', '0.00001', '0.0002', 50, 1.2],
      ['ETH', '0.01', '0.0001', '0.005', 50, 1.2],
      ['SOL', '0.001', '0.001', '0.05', 25, 2.4],
      ['DOGE', '0.000001', '1', '10', 10, 6],
      ['HYPE', '0.0001', '0.01', '0.5', 20, 3],
      ['XRP', '0.000001', '1', '20', 20, 3],
      ['BNB', '0.0001', '0.01', '0.02', 20, 3],
      ['SUI', '0.00001', '0.1', '3', 10, 6],
      ['LINK', '0.00001', '0.1', '1', 10, 6],
      ['AVAX', '0.0001', '0.01', '0.5', 10, 6],
      ['LTC', '0.001', '0.001', '0.1', 10, 6],
      ['ARB', '0.00001', '0.1', '20', 10, 6],
      ['ADA', '0.00001', '0.1', '10', 10, 6],
      ['APT', '0.0001', '0.01', '2', 10, 6],
      ['TAO', '0.001', '0.001', '0.05', 5, 12],
      ['RESOLV', '0.000001', '1', '40', 3, 20],
      ['AAVE', '0.001', '0.001', '0.05', 10, 6],
      ['UNI', '0.0001', '0.01', '1', 10, 6],
      ['ENA', '0.00001', '0.1', '20', 10, 6],
      ['PEPE', '0.000001', '1', '500', 10, 6],
    ] as const
  ).map(([base, tick, lot, minQuantity, maxLeverage, maintenance]) => {
    return {
      base,
      tick,
      lot,
      minQuantity,
      maxLeverage,
      maintenance,
      maxNotional: LIGHTER_ORDER_MAX,
      ...bundled(base),
    };
  }),
};

/** Extended: maker free, taker 0.025 %. Trading rules of its market list of 2025-11-06; first risk step as maintenance. */
const EXTENDED: VenueFacts = {
  symbolOf: (contract) => `${contract}-USD`,
  thousand: '1000',
  quote: 'USD',
  minNotional: '0',
  makerFee: 0,
  takerFee: 0.025,
  fundingPrice: 'mark',
  fundingHours: 1,
  markets: (
    [
      ['BTC', '1', '0.00001', '0.0001', 50, '15000000', 5],
      ['ETH', '0.1', '0.001', '0.01', 50, '15000000', 5],
      ['SOL', '0.01', '0.01', '0.1', 50, '7500000', 5],
      ['DOGE', '0.00001', '10', '100', 25, '2500000', 5],
      ['HYPE', '0.001', '0.01', '0.1', 50, '7500000', 10],
      ['XRP', '0.0001', '1', '10', 25, '2500000', 5],
      ['BNB', '0.01', '0.001', '0.01', 20, '1250000', 5],
      ['SUI', '0.0001', '1', '10', 25, '2500000', 10],
      ['LINK', '0.001', '0.1', '1', 20, '1250000', 10],
      ['AVAX', '0.001', '0.1', '1', 20, '1250000', 5],
      ['LTC', '0.01', '0.01', '0.1', 20, '1250000', 10],
      ['ARB', '0.0001', '1', '10', 20, '1250000', 10],
      ['ADA', '0.0001', '1', '10', 25, '2500000', 5],
      ['APT', '0.0001', '0.1', '1', 20, '1250000', 15],
      ['TAO', '0.01', '0.01', '0.1', 10, '750000', 15],
      ['RESOLV', '0.00001', '10', '100', 5, '250000', 15],
      ['AAVE', '0.01', '0.01', '0.1', 25, '2500000', 10],
      ['UNI', '0.0001', '0.1', '1', 20, '1250000', 10],
      ['ENA', '0.00001', '10', '100', 25, '2500000', 10],
      ['PEPE', '0.000001', '100', '1000', 20, '1250000', 10],
    ] as const
  ).map(([base, tick, lot, minQuantity, maxLeverage, maxNotional, priceBand]) => {
    const maintenance = 100 / maxLeverage;
    return { base, tick, lot, minQuantity, maxLeverage, maintenance, maxNotional, priceBand, ...bundled(base) };
  }),
};

/**
 * Bybit, USDT perpetuals of accounts without a tier. Steps as in its instrument list, coarser where exact books need it; first risk
 * tier as maintenance, the ratio within which a price is always allowed as band. The venue limits quantities, not values.
 */
const BYBIT: VenueFacts = {
  symbolOf: (contract) => `${contract}USDT`,
  thousand: '1000',
  quote: 'USDT',
  minNotional: '5',
  makerFee: 0.02,
  takerFee: 0.055,
  fundingPrice: 'mark',
  fundingHours: 8,
  markets: (
    [
      ['BTC', '0.1', '0.001', '0.001', 100, 1],
      ['ETH', '0.01', '0.01', '0.01', 100, 1],
      ['SOL', '0.01', '0.1', '0.1', 100, 3],
      ['DOGE', '0.00001', '1', '1', 75, 5],
      ['HYPE', '0.001', '0.01', '0.01', 75, 5],
      ['XRP', '0.0001', '0.1', '0.1', 75, 5],
      ['BNB', '0.1', '0.01', '0.01', 75, 5],
      ['SUI', '0.0001', '1', '1', 75, 5],
      ['LINK', '0.001', '0.1', '0.1', 75, 5],
      ['AVAX', '0.001', '0.1', '0.1', 75, 5],
      ['LTC', '0.01', '0.1', '0.1', 75, 5],
      ['ARB', '0.0001', '1', '1', 75, 5],
      ['ADA', '0.0001', '1', '1', 75, 5],
      ['APT', '0.001', '0.01', '0.01', 75, 5],
      ['TAO', '0.01', '0.001', '0.001', 50, 5],
      ['RESOLV', '0.00001', '1', '1', 25, 5],
      ['AAVE', '0.01', '0.01', '0.01', 75, 5],
      ['UNI', '0.001', '0.1', '0.1', 50, 5],
      ['ENA', '0.0001', '1', '1', 50, 5],
      ['PEPE', '0.000001', '100', '100', 50, 5],
    ] as const
  ).map(([base, tick, lot, minQuantity, maxLeverage, priceBand]) => {
    const maintenance = 50 / maxLeverage;
    const maxNotional = LIGHTER_ORDER_MAX;
    return { base, tick, lot, minQuantity, maxLeverage, maintenance, maxNotional, priceBand, ...bundled(base) };
  }),
};

/** Hyperliquid, base tier: maker 0.015 %, taker 0.045 %. Size decimals and leverages of its market list; a price tick follows from them. */
const HYPERLIQUID: VenueFacts = {
  symbolOf: (contract) => contract,
  thousand: 'k',
  quote: 'USDC',
  minNotional: '10',
  makerFee: 0.015,
  takerFee: 0.045,
  fundingPrice: 'oracle',
  fundingHours: 1,
  priceDigitsMax: 5,
  markets: (
    [
      ['BTC', 5, 40, '15000000'],
      ['ETH', 4, 25, '15000000'],
      ['SOL', 2, 20, '5000000'],
      ['DOGE', 0, 10, '2000000'],
      ['HYPE', 2, 10, '2000000'],
      ['XRP', 0, 20, '5000000'],
      ['BNB', 3, 10, '2000000'],
      ['SUI', 1, 10, '2000000'],
      ['LINK', 1, 10, '2000000'],
      ['AVAX', 2, 10, '2000000'],
      ['LTC', 2, 10, '2000000'],
      ['ARB', 1, 10, '2000000'],
      ['ADA', 0, 10, '2000000'],
      ['APT', 2, 10, '2000000'],
      ['TAO', 3, 5, '500000'],
      ['RESOLV', 0, 3, '500000'],
      ['AAVE', 2, 10, '2000000'],
      ['UNI', 1, 10, '2000000'],
      ['ENA', 0, 10, '2000000'],
      ['PEPE', 0, 10, '2000000'],
    ] as const
  ).map(([base, sizeDecimals, maxLeverage, maxNotional]) => {
    const lot = sizeDecimals === 0 ? '1' : `0.${'1'.padStart(sizeDecimals, '0')}`;
    const tick = `0.${'1'.padStart(6 - sizeDecimals, '0')}`;
    const maintenance = 50 / maxLeverage;
    return { base, tick, lot, minQuantity: lot, maxLeverage, maintenance, maxNotional, ...bundled(base) };
  }),
};

/** Coinbase's global derivatives gateway: maker free, taker 0.05 %. Contracts and ticks in the manner of its instrument list. */
const COINBASE: VenueFacts = {
  symbolOf: (base) => `${base}_USDC-PERPETUAL`,
  thousand: '1000',
  quote: 'USDC',
  minNotional: '0',
  makerFee: 0,
  takerFee: 0.05,
  fundingPrice: 'index',
  fundingHours: 1,
  markets: (
    [
      ['BTC', '0.5', '0.0001', '0.0001', 50],
      ['ETH', '0.05', '0.001', '0.001', 50],
      ['SOL', '0.01', '0.1', '0.1', 20],
      ['DOGE', '0.00001', '10', '10', 20],
      ['HYPE', '0.001', '0.1', '0.1', 10],
      ['XRP', '0.0001', '1', '1', 20],
      ['BNB', '0.1', '0.01', '0.01', 20],
      ['SUI', '0.0001', '1', '1', 20],
      ['LINK', '0.001', '0.1', '0.1', 20],
      ['AVAX', '0.001', '0.1', '0.1', 20],
      ['LTC', '0.01', '0.01', '0.01', 20],
      ['ARB', '0.0001', '1', '1', 20],
    ] as const
  ).map(([base, tick, lot, minQuantity, maxLeverage]) => {
    const maintenance = 50 / maxLeverage;
    return { base, tick, lot, minQuantity, maxLeverage, maintenance, maxNotional: LIGHTER_ORDER_MAX, priceBand: 5 };
  }),
};

/** What a US contract is called; one that is not listed here has its base's name. */
const US_CODES: ReadonlyMap<string, string> = new Map([
  ['BTC', 'BIP'],
  ['ETH', 'ETP'],
  ['SOL', 'SLP'],
  ['XRP', 'XPP'],
]);

/**
 * Coinbase's US perpetual-style futures: taker 0.03 %, whole contracts. BTC as recorded, margin of the stricter side overnight; the others
 * in its manner.
 */
const COINBASE_US: VenueFacts = {
  symbolOf: (contract) => `${US_CODES.get(contract) ?? contract}-20DEC30-CDE`,
  thousand: '1000',
  quote: 'USD',
  minNotional: '0',
  makerFee: 0,
  takerFee: 0.03,
  fundingPrice: 'mark',
  fundingHours: 1,
  markets: (
    [
      ['BTC', '5', '0.01', 30.6375],
      ['ETH', '0.5', '0.1', 32],
      ['SOL', '0.01', '5', 35],
      ['DOGE', '0.00001', '5000', 40],
      ['HYPE', '0.001', '10', 45],
      ['XRP', '0.0001', '500', 35],
      ['BNB', '0.1', '0.5', 40],
      ['SUI', '0.0001', '500', 45],
      ['LINK', '0.001', '50', 40],
      ['AVAX', '0.001', '10', 40],
      ['LTC', '0.01', '5', 40],
      ['ARB', '0.0001', '1000', 50],
    ] as const
  ).map(([base, tick, lot, maintenance]) => {
    const maxLeverage = Math.floor(100 / maintenance);
    const maxNotional = LIGHTER_ORDER_MAX;
    return { base, tick, lot, minQuantity: lot, maxLeverage, maintenance, maxNotional, priceBand: 10, maxLots: 5_000 };
  }),
};

/** By venue, and for markets of other than its usual accounts by venue and kind of account. */
const VENUES: ReadonlyMap<string, VenueFacts> = new Map([
  ['lighter', LIGHTER],
  ['extended', EXTENDED],
  ['bybit', BYBIT],
  ['hyperliquid', HYPERLIQUID],
  ['coinbase', COINBASE],
  ['coinbase us', COINBASE_US],
]);
const HOUR_MS = 3_600_000;
const MICRO_DECIMALS = 6;
const PICO_PER_PERCENT = 10_000_000_000;

/** Returns how often a venue's simulated markets settle funding. Throws RangeError for an unknown venue. */
export function fundingIntervalMs(venue: string): number {
  return factsOf(venue).fundingHours * HOUR_MS;
}

/** Names the markets that accounts of a kind trade: the venue's name alone for its usual kind. */
export function marketsKey(venue: string, accountType?: string): string {
  return accountType === undefined || accountType === hostsOf(venue).accountTypes?.[0]
    ? venue
    : `${venue} ${accountType}`;
}

/** Bases that a simulated venue lists; none for a venue without simulation. */
export function simulatedBases(venue: string, accountType?: string): readonly string[] {
  return VENUES.get(marketsKey(venue, accountType))?.markets.map(({ base }) => base) ?? [];
}

/** Returns the simulated markets of a venue for these bases, in that order. Throws RangeError for an unknown one. */
export function simulatedMarkets(venue: string, bases: readonly string[], accountType?: string): Instrument[] {
  const facts = factsOf(marketsKey(venue, accountType));
  return bases.map((base) => {
    const market = facts.markets.find((known) => known.base === modelOf(base));
    if (market === undefined) {
      const known = facts.markets.map((other) => other.base).join(', ');
      throw new RangeError(`a simulated market of ${venue} must be one of ${known} or ${MADE_UP_NAMES}, was ${base}`);
    }
    return instrumentOf(venue, facts, { ...market, base });
  });
}

/** The real venues list a thousand of it as one contract. */
function bundled(base: string): Pick<MarketFacts, 'multiplier'> {
  return base === 'PEPE' ? { multiplier: 1_000 } : {};
}

function factsOf(venue: string): VenueFacts {
  const facts = VENUES.get(venue);
  if (facts === undefined)
    throw new RangeError(`a simulated venue must be one of ${[...VENUES.keys()].join(', ')}, was ${venue}`);
  return facts;
}

function instrumentOf(venue: string, facts: VenueFacts, market: MarketFacts): Instrument {
  const priceDecimals = decimalsOf(market.tick);
  const quantityDecimals = decimalsOf(market.lot);
  const lotUnits = Number(units(market.lot, quantityDecimals));
  const multiplier = market.multiplier ?? 1;
  return {
    venue,
    symbol: facts.symbolOf(multiplier === 1 ? market.base : `${facts.thousand}${market.base}`),
    base: market.base,
    quote: facts.quote,
    multiplier,
    priceDecimals,
    tickUnits: Number(units(market.tick, priceDecimals)),
    ...(facts.priceDigitsMax === undefined ? {} : { priceDigitsMax: facts.priceDigitsMax }),
    quantityDecimals,
    lotUnits,
    minQuantityLots: (Number(units(market.minQuantity, quantityDecimals)) / lotUnits) as QuantityLots,
    minNotionalMicro: units(facts.minNotional, MICRO_DECIMALS) as MicroUnits,
    maxNotionalMicro: units(market.maxNotional, MICRO_DECIMALS) as MicroUnits,
    maxLeverage: market.maxLeverage,
    maintenanceMarginRate: percent(market.maintenance),
    makerFee: percent(facts.makerFee),
    takerFee: percent(facts.takerFee),
    fundingIntervalMs: facts.fundingHours * HOUR_MS,
    fundingPrice: facts.fundingPrice,
    status: 'active',
    ...(market.maxLots === undefined ? {} : { maxQuantityLots: market.maxLots as QuantityLots }),
    ...(market.priceBand === undefined ? {} : { priceBand: percent(market.priceBand) }),
  };
}

function decimalsOf(text: string): number {
  return text.includes('.') ? text.length - text.indexOf('.') - 1 : 0;
}

function units(text: string, decimals: number): bigint {
  const count = parseDecimal(text, decimals);
  if (count === undefined) throw new RangeError(`a market fact must have at most ${decimals} decimals, was "${text}"`);
  return count;
}

function percent(value: number): PicoRate {
  return Math.round(value * PICO_PER_PERCENT) as PicoRate;
}
