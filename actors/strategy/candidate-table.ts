/**
 * Every base on every ordered pair of accounts, and which of them a scan judges. Trading thread; owned by the strategy actor.
 *
 * Judging prices a candidate against four walks of two books. What a candidate would carry needs two rates and two marks, and
 * without enough of it the carry gate refuses whatever else is true. So each scan judges
 *
 *   - of the candidates that carry enough (the 96 largest carries) those that may be the best entry: from the highest bound of a score
 *     down to where none that is left can beat the best one found, and
 *   - 16 of all in turn, for the reasons that people are told.
 *
 * Which entry is asked for is the same as if all of them had been judged.
 *
 * A market of 200 bases at four venues costs a scan little more than a small one does, and one entry is all that a scan asks for.
 */
import type { Instrument } from '../../src/market/instrument.ts';
import type { EntryLegFacts } from '../../src/strategy/entry-facts.ts';
import type { EntryPolicies } from '../../src/strategy/policy.ts';
import { bestLeg, scoreBound } from '../../src/strategy/score-bound.ts';
import type { BestLeg } from '../../src/strategy/score-bound.ts';
import type { OpportunitiesScanned } from '../strategy-messages.ts';
import { legFacts, nextCarrySample } from './candidate.ts';
import type { AccountName, CarrySample } from './candidate.ts';
import { feedOf } from './market-picture.ts';
import type { Feed, MarketPicture } from './market-picture.ts';

/** One base on one account, as it stands at this scan. */
export interface TableLeg {
  readonly name: AccountName;
  readonly base: string;
  readonly instrumentKey: string;
  /** `venue:account`. */
  readonly accountKey: string;
  instrument: Instrument | undefined;
  feed: Feed | undefined;
  /** Predicted rate, pico per hour; NaN while unknown. */
  hourly: number;
  /** Mark per base unit, quote; NaN while unknown. */
  mark: number;
  /** Gathered when first asked for at a scan, like what follows from them. */
  facts: EntryLegFacts | undefined;
  best: BestLeg | 'unknown' | undefined;
}

export interface TableCandidate {
  /** Its place in the table. */
  readonly index: number;
  readonly base: string;
  readonly long: TableLeg;
  readonly short: TableLeg;
  carry: CarrySample;
  /** What it was judged last; undefined before its first turn. */
  seen: OpportunitiesScanned['candidates'][number] | undefined;
}

export interface CandidateTable {
  readonly legs: readonly TableLeg[];
  /** Those of one base side by side, as many for each. */
  readonly candidates: readonly TableCandidate[];
  /** Net carry a year of each candidate as last judged, percent; 0 before. Apart, so that all can be looked at without what they are of. */
  readonly netAprPct: Float64Array;
  /** Index of the candidate whose turn is next. */
  turn: number;
  /** Listings the instruments of the legs are from: see MarketPicture. */
  listings: number;
}

/** All of 4,000 in a minute: reasons are for people, and judging is most of what a scan leaves to the collector. */
const JUDGED_IN_TURN = 16;
const JUDGED_FOR_CARRY_MAX = 96;
const PICO = 1e12;
const HOURS_PER_YEAR = 8_760;
/** Rates are whole numbers of it: what is nearer to the threshold than this is judged. */
const ROUNDING_HOURLY = 1e-12;

export function createCandidateTable(
  bases: readonly string[],
  directions: readonly (readonly [AccountName, AccountName])[],
): CandidateTable {
  const legs = new Map<string, TableLeg>();
  const legOf = (base: string, name: AccountName): TableLeg => {
    const accountKey = `${name.venue}:${name.account}`;
    const instrumentKey = `${accountKey}|${base}`;
    const known = legs.get(instrumentKey);
    if (known !== undefined) return known;
    const nothing = {
      instrument: undefined,
      feed: undefined,
      hourly: Number.NaN,
      mark: Number.NaN,
      facts: undefined,
      best: undefined,
    };
    const leg: TableLeg = { name, base, instrumentKey, accountKey, ...nothing };
    legs.set(instrumentKey, leg);
    return leg;
  };
  const candidates = bases.flatMap((base, place) =>
    directions.map(([long, short], direction): TableCandidate => {
      const carry = { streak: 0, atMs: -Infinity };
      const index = place * directions.length + direction;
      return { index, base, long: legOf(base, long), short: legOf(base, short), carry, seen: undefined };
    }),
  );
  return { legs: [...legs.values()], candidates, netAprPct: new Float64Array(candidates.length), turn: 0, listings: 0 };
}

/** Brings every leg up to what is known now. */
export function refreshLegs(table: CandidateTable, market: MarketPicture): void {
  if (table.listings !== market.listings) lookUpLegs(table, market);
  for (const leg of table.legs) {
    leg.facts = undefined;
    leg.best = undefined;
    const { feed, instrument } = leg;
    if (feed === undefined || instrument === undefined) continue;
    leg.hourly = feed.hourly;
    leg.mark = feed.markQuote / instrument.multiplier;
  }
}

function lookUpLegs(table: CandidateTable, market: MarketPicture): void {
  table.listings = market.listings;
  for (const leg of table.legs) {
    const instrument = market.instruments.get(leg.instrumentKey);
    leg.instrument = instrument;
    leg.feed = instrument === undefined ? undefined : feedOf(market, leg.name.venue, instrument.symbol);
  }
}

/** What a scan looks at. */
export interface ChosenCandidates {
  /** To be judged whatever comes of it. */
  readonly inTurn: ReadonlySet<TableCandidate>;
  /** Those that carry enough and are not in turn. */
  readonly rich: readonly TableCandidate[];
}

/** Returns the candidates to look at now, and counts every candidate's positive carries. */
export function chooseCandidates(
  table: CandidateTable,
  nowMs: number,
  { entry }: Pick<EntryPolicies, 'entry'>,
): ChosenCandidates {
  const { candidates } = table;
  const wantedHourly = Math.max(entry.minAprPct / 100 / HOURS_PER_YEAR, entry.minHourly) - ROUNDING_HOURLY;
  let rich: TableCandidate[] = [];
  for (const candidate of candidates) {
    const { long, short } = candidate;
    candidate.carry = nextCarrySample(candidate.carry, long.hourly, short.hourly, nowMs);
    // Not so while a rate or a mark is unknown either: nothing is as large as NaN.
    if (carryOf(long, short) >= wantedHourly) rich.push(candidate);
  }
  if (rich.length > JUDGED_FOR_CARRY_MAX) {
    rich = rich
      .map((candidate) => ({ candidate, hourly: carryOf(candidate.long, candidate.short) }))
      .sort((one, other) => other.hourly - one.hourly)
      .slice(0, JUDGED_FOR_CARRY_MAX)
      .map(({ candidate }) => candidate);
  }
  const inTurn = new Set<TableCandidate>();
  const turns = Math.min(JUDGED_IN_TURN, candidates.length);
  for (let count = 0; count < turns; count++) {
    const candidate = candidates[(table.turn + count) % candidates.length];
    if (candidate !== undefined) inTurn.add(candidate);
  }
  table.turn = candidates.length === 0 ? 0 : (table.turn + turns) % candidates.length;
  return { inTurn, rich: rich.filter((candidate) => !inTurn.has(candidate)) };
}

/** Net carry per hour on the mean notional of the legs, a fraction: the same whatever the size. NaN while unknown. */
function carryOf(long: TableLeg, short: TableLeg): number {
  return (short.mark * short.hourly - long.mark * long.hourly) / PICO / ((long.mark + short.mark) / 2);
}

/** Returns what a candidate scores at most; Infinity while that cannot be told. */
export function boundOf(
  { long, short }: TableCandidate,
  market: MarketPicture,
  policy: EntryPolicies,
  at: { readonly nowMs: number; readonly calendarScale: number },
): number {
  long.best ??= bestLeg(factsOf(long, market, policy), at, policy) ?? 'unknown';
  short.best ??= bestLeg(factsOf(short, market, policy), at, policy) ?? 'unknown';
  if (long.best === 'unknown' || short.best === 'unknown') return Infinity;
  return scoreBound(long.best, short.best, policy);
}

/** What is known of a leg, gathered once per scan however many candidates it is in. */
export function factsOf(leg: TableLeg, market: MarketPicture, policy: EntryPolicies): EntryLegFacts {
  leg.facts ??= legFacts(market, policy, leg);
  return leg.facts;
}
