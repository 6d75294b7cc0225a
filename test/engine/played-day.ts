/** Plays a whole engine in virtual time for some hours, then leaves every pair and waits for the last booking. Tests only. */
import { expect } from 'vitest';
import type { TandemConfig } from '../../config/schema.ts';
import { marketCalendar } from '../../src/composition/market.ts';
import type { SystemSnapshot } from '../../src/runtime/snapshot.ts';
import type { LogRecord } from '../../src/runtime/ports-context.ts';
import { CALM_NETWORK } from '../../src/simulation/network-conditions.ts';
import type { MarketTape } from '../../src/simulation/market-tape.ts';
import type { VenueOracle } from '../../src/simulation/simulated-venue.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { expectBooksExact, expectWalletsExplained } from './identities-check.ts';
import { expectLedgerEqualsOracle } from './ledger-check.ts';

const HOUR_MS = 3_600_000;
const ARM = { type: 'set-engine-state', state: 'ARMED', reason: 'the day is over' } as const;
const LEAVE = { type: 'exit-pair', reason: 'MANUAL' } as const;
/** Rounds of looking whether everything is closed and booked, after the day. */
const ROUNDS_MAX = 600;
const REST_MS = 30_000;
/** Of what is left of one pair. */
const DIGEST_CHARACTERS = 600;

export interface PlayedDay {
  readonly rows: readonly JournalRow[];
  readonly oracles: ReadonlyMap<string, VenueOracle>;
  /** Everything logged as a warning or an error, in order. */
  readonly warnings: readonly LogRecord[];
  /** What the invariant monitor found at the end. */
  readonly identities: unknown;
  /** Messages that nobody could take, ever. */
  readonly deadLetters: SystemSnapshot['deadLetters'];
  /** Actors that did not live through the whole run. */
  readonly restarted: readonly string[];
  readonly hash: string;
}

/** What is left of a run on threads, where no two are the same. */
export type PlayedHours = Omit<PlayedDay, 'hash'>;

export interface DayOptions {
  readonly seed: number;
  readonly tape: MarketTape;
  /** Calendar hours to trade. */
  readonly hours: number;
  /** Called before each stretch of the run: may harm the network, or act as the person who watches. */
  readonly between?: (world: SimulatedWorld, atMs: number) => void;
  /** Virtual ms between two such calls. */
  readonly stretchMs?: number;
}

/** Throws when the engine fails, or when something is still open or unbooked long after the day. */
export function playDay(config: TandemConfig, options: DayOptions): PlayedDay {
  const { startAtMs } = marketCalendar(config, 0);
  const warnings: LogRecord[] = [];
  const world = simulateWorld(config, {
    seed: options.seed,
    tape: options.tape,
    startAtMs,
    log: (record) => {
      if (record.level === 'error' || record.level === 'warn') warnings.push(record);
    },
  });
  const { system } = world;
  const untilMs = (options.hours * HOUR_MS) / config.calendar.scale;
  const stretchMs = options.stretchMs ?? untilMs;
  for (let atMs = 0; atMs < untilMs; atMs += stretchMs) {
    options.between?.(world, atMs);
    system.runUntil(Math.min(untilMs, atMs + stretchMs));
  }
  for (const venue of world.venues.keys()) world.network.setConditions(`${venue}.test`, CALM_NETWORK);
  system.tell('guard', ARM);
  for (const base of config.symbols) system.tell(`position/${base}`, LEAVE);
  const rows = (): readonly JournalRow[] => world.disk.rowsAfter(0);
  for (let round = 0; !isSettled(world, rows()) && round < ROUNDS_MAX; round++)
    system.runUntil(system.monotonicMs() + 1_000);
  const failure = system.failure();
  if (failure !== undefined) throw new Error(`the engine must not fail: ${failure}`);
  if (!isSettled(world, rows()))
    throw new Error(`everything must be closed and booked after the day, left is: ${leftover(world, config, rows())}`);
  // What the monitor compares comes to rest: wallets are reported again, the journal's last page is read.
  system.runUntil(system.monotonicMs() + REST_MS);
  const { actors, deadLetters } = system.snapshot();
  return {
    rows: rows(),
    oracles: oraclesOf(world),
    warnings,
    identities: system.inspect('monitor')?.digest,
    deadLetters,
    restarted: actors.filter(({ incarnation }) => incarnation !== 1).map(({ path }) => path),
    hash: system.eventHash(),
  };
}

/**
 * Everything that must hold at the end of any day, however the network was. Throws (through expect) at the first that does not.
 *
 * @param refusals how many requests each venue was told to refuse as too many; none where absent
 */
export function expectDayExact(day: PlayedHours, refusals: ReadonlyMap<string, number> = new Map()): void {
  expect(day.warnings.filter(({ event }) => event === 'identity-broken')).toEqual([]);
  expectBooksExact(day.identities);
  expectWalletsExplained(day.identities);
  for (const [venue, oracle] of day.oracles) {
    for (const [name, account] of oracle.accounts) expectLedgerEqualsOracle(day.rows, venue, name, account);
    expect(`${venue} ${oracle.rateLimitRefusals}`).toBe(`${venue} ${refusals.get(venue) ?? 0}`);
  }
  expect(day.deadLetters).toMatchObject({ total: 0 });
  expect(day.restarted).toEqual([]);
}

function oraclesOf(world: SimulatedWorld): ReadonlyMap<string, VenueOracle> {
  return new Map([...world.venues].map(([name, built]) => [name, built.venue.oracle()]));
}

/** What a person would look at first: positions, payments that are not booked, pairs that have not ended. */
function leftover(world: SimulatedWorld, config: TandemConfig, rows: readonly JournalRow[]): string {
  const accounts = [...oraclesOf(world)].flatMap(([venue, oracle]) =>
    [...oracle.accounts].map(([account, { positions, fundingPayments }]) => {
      const booked = rows.filter((row) => row.type === 'funding' && row.id.startsWith(`funding:${venue}:${account}:`));
      const open = [...positions].map(([symbol, lots]) => `${symbol} ${lots}`);
      return `${venue}:${account} has ${open.join(', ') || 'no position'}, ${booked.length} of ${fundingPayments.length} payments booked`;
    }),
  );
  const pairs = config.symbols.flatMap((base) => {
    const digest = JSON.stringify(world.system.inspect(`position/${base}`)?.digest, (_name, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    return /IDLE|CLOSED|FAILED/.test(digest) ? [] : [`${base} ${digest.slice(0, DIGEST_CHARACTERS)}`];
  });
  return [...accounts, ...pairs].join('; ');
}

function isSettled(world: SimulatedWorld, rows: readonly JournalRow[]): boolean {
  const accounts = [...oraclesOf(world).values()].flatMap((oracle) => [...oracle.accounts.values()]);
  const paid = accounts.reduce((sum, account) => sum + account.fundingPayments.length, 0);
  const booked = rows.filter((row) => row.type === 'funding').length;
  return accounts.every(({ positions }) => positions.size === 0) && booked >= paid;
}
