import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { marketCalendar, tapeSpec } from '../../src/composition/market.ts';
import { startEngine } from '../../src/composition/live/engine.ts';
import { simulateWorld } from '../../src/simulation/world.ts';
import type { SimulatedWorld } from '../../src/simulation/world.ts';
import { buildTape } from '../../src/simulation/live/build-tape.ts';
import type { VenueOracle } from '../../src/simulation/simulated-venue.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { expectBooksExact, expectWalletsExplained } from './identities-check.ts';
import { HOUR_REAL_MS, hasSharedData, januaryConfig } from './january.ts';
import { readJournal } from './journal-rows.ts';
import { expectLedgerEqualsOracle, tradedPairs } from './ledger-check.ts';

/** Calendar hours after the start. All fall between two settlements, so that real and virtual time agree on what was paid. */
const TRADING_FROM_HOURS = 6.5;
const TRADING_UNTIL_HOURS = 60.5;
const HOUR_MS = 3_600_000;
const STARTS_AT_MS = Date.parse('2026-01-21T00:00:00Z');
const VENUES = ['lighter', 'extended'] as const;
const TRADE = { type: 'set-engine-state', state: 'TRADING', reason: 'the recorded days begin' } as const;
const ARM = { type: 'set-engine-state', state: 'ARMED', reason: 'the recorded days are over' } as const;
const LEAVE = { type: 'exit-pair', reason: 'MANUAL' } as const;

interface Played {
  readonly rows: readonly JournalRow[];
  readonly oracles: ReadonlyMap<string, VenueOracle>;
  /** What the invariant monitor found. */
  readonly identities: unknown;
}

function paymentsBooked(rows: readonly JournalRow[]): number {
  return rows.filter((row) => row.type === 'funding').length;
}

function paymentsMade(oracles: ReadonlyMap<string, VenueOracle>): number {
  let payments = 0;
  for (const oracle of oracles.values()) payments += oracle.accounts.get('main')?.fundingPayments.length ?? 0;
  return payments;
}

/** The whole engine on threads, both venues behind real sockets on loopback. */
async function playOnLoopback(): Promise<Played> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-january-'));
  const config = januaryConfig(dataDir);
  const engine = await startEngine(config, { log: () => undefined, onUnkillable: () => undefined });
  try {
    const { system } = engine;
    const untilHours = async (hours: number): Promise<void> => {
      await sleep((STARTS_AT_MS + hours * HOUR_MS - system.nowMs()) / (HOUR_MS / HOUR_REAL_MS));
    };
    await untilHours(TRADING_FROM_HOURS);
    expect(await engine.readiness()).toEqual({ ready: true, reasons: [] });
    system.tell('guard', TRADE);
    await untilHours(TRADING_UNTIL_HOURS);
    system.tell('guard', ARM);
    for (const base of config.symbols) system.tell(`position/${base}`, LEAVE);
    const oracles = async (): Promise<Map<string, VenueOracle>> =>
      new Map(await Promise.all(VENUES.map(async (venue) => [venue, await engine.accounts.oracle(venue)] as const)));
    for (;;) {
      const now = await oracles();
      const flat = [...now.values()].every((oracle) => oracle.accounts.get('main')?.positions.size === 0);
      if (flat && paymentsBooked(readJournal(dataDir)) >= paymentsMade(now)) break;
      await sleep(200);
    }
    const final = await oracles();
    const identities = (await system.inspect('monitor'))?.digest;
    expect(await engine.stop()).toBe(true);
    return { rows: readJournal(dataDir), oracles: final, identities };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

/** The same days in virtual time. */
function playInVirtualTime(seed: number): Played & { readonly hash: string } {
  const config = januaryConfig('unused');
  const calendar = marketCalendar(config, 0);
  const world = simulateWorld(config, {
    seed,
    tape: buildTape(tapeSpec(config, calendar.startAtMs)),
    startAtMs: calendar.startAtMs,
  });
  const { system } = world;
  const oracles = (): Map<string, VenueOracle> =>
    new Map([...world.venues].map(([name, built]) => [name, built.venue.oracle()]));
  const settled = (): boolean => {
    const now = oracles();
    return (
      [...now.values()].every((oracle) => oracle.accounts.get('main')?.positions.size === 0) &&
      paymentsBooked(rowsOf(world)) >= paymentsMade(now)
    );
  };
  system.runUntil(TRADING_FROM_HOURS * HOUR_REAL_MS);
  system.tell('guard', TRADE);
  system.runUntil(TRADING_UNTIL_HOURS * HOUR_REAL_MS);
  system.tell('guard', ARM);
  for (const base of config.symbols) system.tell(`position/${base}`, LEAVE);
  for (let rounds = 0; !settled() && rounds < 300; rounds++) system.runUntil(system.monotonicMs() + 200);
  expect(settled()).toBe(true);
  expect(system.failure()).toBeUndefined();
  system.runUntil(system.monotonicMs() + 2_000);
  const identities = system.inspect('monitor')?.digest;
  return { rows: rowsOf(world), oracles: oracles(), identities, hash: system.eventHash() };
}

function rowsOf(world: SimulatedWorld): readonly JournalRow[] {
  return world.disk.rowsAfter(0);
}

function expectExact(played: Played): void {
  for (const [venue, oracle] of played.oracles) {
    const account = oracle.accounts.get('main');
    expect(account).toBeDefined();
    if (account !== undefined) expectLedgerEqualsOracle(played.rows, venue, 'main', account);
    expect(oracle.rateLimitRefusals).toBe(0);
  }
}

describe.skipIf(!hasSharedData)(
  'recorded days of January 2026, Lighter against Hyperliquid rows (needs ../shared/data)',
  () => {
    let real: Played;
    let virtual: ReturnType<typeof playInVirtualTime>;
    beforeAll(async () => {
      virtual = playInVirtualTime(1);
      real = await playOnLoopback();
    }, 240_000);

    it('on loopback: pairs open and reverse, and the ledger equals both venues, fill for fill, payment for payment, to the micro-unit', () => {
      expectExact(real);
      expect(tradedPairs(real.rows).some((pair) => pair.reason === 'CARRY_REVERSED' && pair.fundingPayments > 0)).toBe(
        true,
      );
    });

    it('in virtual time: the ledger is exact again', () => {
      expectExact(virtual);
    });

    it('in virtual time and on loopback: the monitor finds every identity whole', () => {
      for (const { identities } of [virtual, real]) expectBooksExact(identities);
      expectWalletsExplained(virtual.identities);
    });

    it(
      'in virtual time: the same entries and exits, and as many payments, as on loopback',
      { timeout: 120_000 },
      async () => {
        const inVirtualTime = tradedPairs(virtual.rows);
        let onLoopback = tradedPairs(real.rows);
        // An hour takes a second here: a machine that stalls for half of one moves a decision. Once more, then it counts.
        if (!isDeepStrictEqual(inVirtualTime, onLoopback)) onLoopback = tradedPairs((await playOnLoopback()).rows);
        expect(inVirtualTime).toEqual(onLoopback);
      },
    );

    it('in virtual time: twice the same event hash, and another one with another seed', () => {
      expect(playInVirtualTime(1).hash).toBe(virtual.hash);
      expect(playInVirtualTime(2).hash).not.toBe(virtual.hash);
    }, 120_000);
  },
);
