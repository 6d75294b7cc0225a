/** Gathers the facts of one candidate from what the strategy actor knows. Trading thread; reads only. */
import { fundingVerdict } from '../../src/market/funding-check.ts';
import { favourableSettlements, medianHourly } from '../../src/market/funding-history.ts';
import { quoteGap } from '../../src/market/quote-rates.ts';
import type { EntryFacts, EntryLegFacts } from '../../src/strategy/entry-facts.ts';
import type { EntryPolicies } from '../../src/strategy/policy.ts';
import type { PairChanged } from '../position-messages.ts';
import { feedOf } from './market-picture.ts';
import type { MarketPicture } from './market-picture.ts';
import { exposuresOf, pairStanding } from './pair-book.ts';
import type { PairBook } from './pair-book.ts';

export interface EngineView {
  readonly state: string;
  readonly reason: string;
  readonly entriesPaused: boolean;
}

export interface AccountName {
  readonly venue: string;
  readonly account: string;
}

/** Samples of a candidate's net carry, at least 20 calendar minutes apart, that were positive in a row. */
export interface CarrySample {
  readonly streak: number;
  /** Calendar ms of the last counted sample. */
  readonly atMs: number;
}

const SAMPLES_APART_MS = 20 * 60_000;

/** Takes note of the present predicted carry; anything but positive ends the streak at once. */
export function sampleCarry(
  market: MarketPicture,
  last: CarrySample | undefined,
  base: string,
  long: AccountName,
  short: AccountName,
  nowMs: number,
): CarrySample {
  const paid = predictedHourly(market, base, long);
  const received = predictedHourly(market, base, short);
  if (paid === undefined || received === undefined || received - paid <= 0) return { streak: 0, atMs: -Infinity };
  if (last !== undefined && nowMs - last.atMs < SAMPLES_APART_MS) return last;
  return { streak: (last?.streak ?? 0) + 1, atMs: nowMs };
}

function predictedHourly(market: MarketPicture, base: string, name: AccountName): number | undefined {
  const instrument = market.instruments.get(`${name.venue}:${name.account}|${base}`);
  if (instrument === undefined) return undefined;
  return market.feeds.get(`${name.venue}|${instrument.symbol}`)?.predicted?.rate.hourly;
}

/** Returns everything the decision about one base on one ordered pair of accounts is made from. */
export function entryFacts(
  known: {
    readonly market: MarketPicture;
    readonly pairs: PairBook;
    readonly engine: EngineView;
    readonly args: {
      readonly policy: EntryPolicies;
      readonly calendarScale: number;
      readonly blacklist?: readonly string[];
    };
  },
  base: string,
  long: AccountName,
  short: AccountName,
  carry: CarrySample,
  at: { readonly nowMs: number; readonly monotonicMs: number },
): EntryFacts {
  const { market, pairs, args } = known;
  const exposures = exposuresOf(pairs);
  const entryBlock = pairs.byBase.get(base)?.entryBlock;
  return {
    base,
    ...at,
    calendarScale: args.calendarScale,
    engine: known.engine,
    long: withPayments(legFacts(market, args.policy, base, long), pairs.byBase.get(base)),
    short: withPayments(legFacts(market, args.policy, base, short), pairs.byBase.get(base)),
    pair: {
      ...pairStanding(pairs, base),
      cooldownUntilMs: pairs.byBase.get(base)?.cooldownUntilMs ?? 0,
      blacklisted: args.blacklist?.includes(base) ?? false,
      ...(entryBlock === undefined ? {} : { entryBlock }),
    },
    quoteGap: gapBetween(market, base, long, short),
    activePairs: exposures.length,
    exposures,
    favourableStreak: Math.max(carry.streak, settledStreak(market, base, long, short, args.policy.entry.minFavourable)),
  };
}

/** What a position saw a venue pay outweighs what its rates say of themselves. */
function withPayments(leg: EntryLegFacts, pair: PairChanged | undefined): EntryLegFacts {
  const suspect = pair?.suspectPayments?.find(({ venue, account }) => venue === leg.venue && account === leg.account);
  if (suspect === undefined) return leg;
  const { implied, stated } = suspect;
  return { ...leg, fundingVerdict: { state: 'PAYMENT_SUSPECT', implied, stated } };
}

function gapBetween(market: MarketPicture, base: string, long: AccountName, short: AccountName): number | undefined {
  const [one, other] = [long, short].map(({ venue, account }) => market.instruments.get(`${venue}:${account}|${base}`));
  return one === undefined || other === undefined ? undefined : quoteGap(market.quoteRates, one.quote, other.quote);
}

function settledStreak(
  market: MarketPicture,
  base: string,
  long: AccountName,
  short: AccountName,
  minFavourable: number,
): number {
  const longInstrument = market.instruments.get(`${long.venue}:${long.account}|${base}`);
  const shortInstrument = market.instruments.get(`${short.venue}:${short.account}|${base}`);
  if (longInstrument === undefined || shortInstrument === undefined) return 0;
  const longFeed = feedOf(market, long.venue, longInstrument.symbol);
  const shortFeed = feedOf(market, short.venue, shortInstrument.symbol);
  return favourableSettlements(longFeed.history, shortFeed.history, minFavourable);
}

function legFacts(market: MarketPicture, policy: EntryPolicies, base: string, name: AccountName): EntryLegFacts {
  const accountKey = `${name.venue}:${name.account}`;
  const instrument = market.instruments.get(`${accountKey}|${base}`);
  const feed = instrument === undefined ? undefined : feedOf(market, name.venue, instrument.symbol);
  return {
    venue: name.venue,
    account: name.account,
    status: market.statuses.get(accountKey),
    instrument,
    book: feed?.book,
    bookLostReason: feed?.bookLostReason ?? '',
    mark: feed?.mark,
    predicted: feed?.predicted,
    medianHourly: feed === undefined ? undefined : medianHourly(feed.history),
    fundingVerdict:
      feed === undefined ? { state: 'UNPROVEN' } : fundingVerdict(feed.check, policy.fundingCheck.minSettlements),
    leverage: market.leverages.get(`${accountKey}|${base}`),
    balance: market.accounts.get(accountKey),
  };
}
