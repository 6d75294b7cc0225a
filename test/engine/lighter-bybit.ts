/** One run of the whole engine with Lighter and Bybit, and what must be true of it. Tests only. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { loadConfig } from '../../config/load.ts';
import type { ConfigOverrides } from '../../config/schema.ts';
import { startEngine } from '../../src/composition/live/engine.ts';
import type { VenueOracle } from '../../src/simulation/simulated-venue.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { expectBooksExact, expectRowsExact } from './identities-check.ts';
import { readJournal } from './journal-rows.ts';
import { expectLedgerEqualsOracle, tradedPairs } from './ledger-check.ts';

const VENUES = ['lighter', 'bybit'] as const;
const CONFIG = join(import.meta.dirname, 'fixtures', 'bybit.yaml');
const ARM = { type: 'set-engine-state', state: 'ARMED', reason: 'the pairs have been paid' } as const;
const LEAVE = { type: 'exit-pair', reason: 'MANUAL' } as const;
const WAIT_MS = 100_000;

export interface Played {
  readonly rows: readonly JournalRow[];
  readonly oracles: ReadonlyMap<string, VenueOracle>;
}

/** The whole engine on threads, both venues behind real sockets: a pair opens, is paid at Bybit, and is closed. */
export async function play(tape: ConfigOverrides['tape']): Promise<Played> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-bybit-'));
  const config = loadConfig(CONFIG, { dataDir, ...(tape === undefined ? {} : { tape }) });
  const engine = await startEngine(config, { log: () => undefined, onUnkillable: () => undefined });
  const oracles = async (): Promise<Map<string, VenueOracle>> =>
    new Map(await Promise.all(VENUES.map(async (venue) => [venue, await engine.accounts.oracle(venue)] as const)));
  const until = async (what: string, isTrue: (now: ReadonlyMap<string, VenueOracle>) => boolean): Promise<void> => {
    for (const endMs = performance.now() + WAIT_MS; performance.now() < endMs; await sleep(200))
      if (isTrue(await oracles())) return;
    throw new Error(`${what} must happen within ${WAIT_MS} ms`);
  };
  const main = (now: ReadonlyMap<string, VenueOracle>, venue: string) => now.get(venue)?.accounts.get('main');
  try {
    await until('a payment at Bybit', (now) => (main(now, 'bybit')?.fundingPayments.length ?? 0) > 0);
    engine.system.tell('guard', ARM);
    for (const base of config.symbols) engine.system.tell(`position/${base}`, LEAVE);
    await until('the end of all pairs, and the last booking', (now) => {
      const made = VENUES.reduce((sum, venue) => sum + (main(now, venue)?.fundingPayments.length ?? 0), 0);
      const booked = readJournal(dataDir).filter((row) => row.type === 'funding').length;
      return VENUES.every((venue) => main(now, venue)?.positions.size === 0) && booked >= made;
    });
    const final = await oracles();
    expectBooksExact((await engine.summary())?.identities);
    await engine.stop();
    expectRowsExact(readJournal(dataDir));
    return { rows: readJournal(dataDir), oracles: final };
  } catch (error) {
    await engine.stop();
    throw error;
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export function expectExact({ rows, oracles }: Played): void {
  const pairs = tradedPairs(rows);
  expect(pairs.length).toBeGreaterThan(0);
  for (const pair of pairs) expect([pair.long, pair.short].toSorted()).toEqual(['bybit', 'lighter']);
  for (const [venue, oracle] of oracles) {
    const account = oracle.accounts.get('main');
    expect(account).toBeDefined();
    if (account !== undefined) expectLedgerEqualsOracle(rows, venue, 'main', account);
    expect(oracle.rateLimitRefusals).toBe(0);
  }
  // The mirror account is connected by its own key, and nobody traded for it.
  expect(oracles.get('bybit')?.accounts.get('mirror')).toMatchObject({ walletMicro: 5_000_000_000n, fills: [] });
}
