/** Gathers the facts of one candidate from what the strategy actor knows. Trading thread; reads only. */
import { fundingVerdict } from '../../src/market/funding-check.ts';
import { favourableSettlements, medianHourly } from '../../src/market/funding-history.ts';
import { quoteGap } from '../../src/market/quote-rates.ts';
import type { EntryFacts, EntryLegFacts } from '../../src/strategy/entry-facts.ts';
import type { EntryPolicies } from '../../src/strategy/policy.ts';
import type { Exposure } from '../../src/risk/limits.ts';
import { factsOf } from './candidate-table.ts';
import type { TableCandidate, TableLeg } from './candidate-table.ts';
import type { PairChanged } from '../position-messages.ts';
import type { MarketPicture } from './market-picture.ts';
import { pairStanding } from './pair-book.ts';
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
export const NO_CARRY: CarrySample = { streak: 0, atMs: -Infinity };

/** Takes note of the present predicted carry (pico per hour, NaN while unknown); anything but positive ends the streak at once. */
export function nextCarrySample(last: CarrySample, paid: number, received: number, nowMs: number): CarrySample {
  if (!(received - paid > 0)) return last.streak === 0 ? last : NO_CARRY;
  if (nowMs - last.atMs < SAMPLES_APART_MS) return last;
  return { streak: last.streak + 1, atMs: nowMs };
}

/** Returns everything the decision about one base on one ordered pair of accounts is made from. */
export function entryFacts(
  known: {
    readonly market: MarketPicture;
    readonly pairs: PairBook;
    /** Of all pairs, gathered once per scan. */
    readonly exposures: readonly Exposure[];
    readonly engine: EngineView;
    readonly args: {
      readonly policy: EntryPolicies;
      readonly calendarScale: number;
      readonly blacklist?: readonly string[];
    };
  },
  candidate: TableCandidate,
  at: { readonly nowMs: number; readonly monotonicMs: number },
): EntryFacts {
  const { market, pairs, exposures, args } = known;
  const { base, long, short } = candidate;
  const entryBlock = pairs.byBase.get(base)?.entryBlock;
  return {
    base,
    ...at,
    calendarScale: args.calendarScale,
    engine: known.engine,
    long: withPayments(factsOf(long, market, args.policy), pairs.byBase.get(base)),
    short: withPayments(factsOf(short, market, args.policy), pairs.byBase.get(base)),
    pair: {
      ...pairStanding(pairs, base),
      cooldownUntilMs: pairs.byBase.get(base)?.cooldownUntilMs ?? 0,
      blacklisted: args.blacklist?.includes(base) ?? false,
      ...(entryBlock === undefined ? {} : { entryBlock }),
    },
    quoteGap: gapBetween(market, long, short),
    activePairs: exposures.length,
    exposures,
    favourableStreak: favourableStreak(candidate, args.policy.entry.minFavourable),
  };
}

/** What a position saw a venue pay outweighs what its rates say of themselves. */
function withPayments(leg: EntryLegFacts, pair: PairChanged | undefined): EntryLegFacts {
  const suspect = pair?.suspectPayments?.find(({ venue, account }) => venue === leg.venue && account === leg.account);
  if (suspect === undefined) return leg;
  const { implied, stated } = suspect;
  return { ...leg, fundingVerdict: { state: 'PAYMENT_SUSPECT', implied, stated } };
}

function gapBetween({ quoteRates }: MarketPicture, one: TableLeg, other: TableLeg): number | undefined {
  if (one.instrument === undefined || other.instrument === undefined) return undefined;
  return quoteGap(quoteRates, one.instrument.quote, other.instrument.quote);
}

/** The longer of both streaks, samples and settlements; once it is long enough nobody asks by how much. */
function favourableStreak({ long, short, carry }: TableCandidate, minFavourable: number): number {
  if (carry.streak >= minFavourable || long.feed === undefined || short.feed === undefined) return carry.streak;
  return Math.max(carry.streak, favourableSettlements(long.feed.history, short.feed.history, minFavourable));
}

/** Returns what is known of one base on one account. */
export function legFacts(
  market: MarketPicture,
  policy: EntryPolicies,
  { name, accountKey, instrumentKey, instrument, feed }: TableLeg,
): EntryLegFacts {
  return {
    venue: name.venue,
    account: name.account,
    status: market.statuses.get(accountKey),
    instrument,
    book: feed?.book,
    bookLostReason: feed?.bookLostReason ?? '',
    mark: feed?.mark,
    markWatch: feed?.markWatch,
    predicted: feed?.predicted,
    medianHourly: feed === undefined ? undefined : medianHourly(feed.history),
    fundingVerdict:
      feed === undefined ? { state: 'UNPROVEN' } : fundingVerdict(feed.check, policy.fundingCheck.minSettlements),
    leverage: market.leverages.get(instrumentKey),
    balance: market.accounts.get(accountKey),
  };
}
