/** Plays the whole engine on threads, its venues behind real sockets on loopback, then leaves every pair and waits for the last booking. Tests only. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IdentitiesChecked } from '../../actors/monitor-messages.ts';
import type { TandemConfig } from '../../config/schema.ts';
import { startEngine } from '../../src/composition/live/engine.ts';
import type { Engine } from '../../src/composition/live/engine.ts';
import type { LogRecord } from '../../src/runtime/ports-context.ts';
import type { VenueOracle } from '../../src/simulation/simulated-venue.ts';
import { readJournal } from './journal-rows.ts';
import type { PlayedHours } from './played-day.ts';

const HOUR_MS = 3_600_000;
const ARM = { type: 'set-engine-state', state: 'ARMED', reason: 'the hours are over' } as const;
const LEAVE = { type: 'exit-pair', reason: 'MANUAL' } as const;
const LOOK_MS = 500;
const REST_MS_MAX = 300_000;

export interface LoopbackOptions {
  /** Calendar hours to trade, from when the engine is ready. */
  readonly hours: number;
  /** Called often while the engine trades, with the venues' books and the real ms since it was ready. */
  readonly between: (engine: Engine, oracles: ReadonlyMap<string, VenueOracle>, atMs: number) => void;
}

/** Waits for what must happen, however long a busy machine takes for it: the test's own deadline ends a run that hangs. */
export async function playOnLoopback(config: TandemConfig, options: LoopbackOptions): Promise<PlayedHours> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tandem-loopback-'));
  const warnings: LogRecord[] = [];
  const log = (record: LogRecord): void => {
    if (record.level === 'error' || record.level === 'warn') warnings.push(record);
  };
  const engine = await startEngine({ ...config, dataDir }, { log, onUnkillable: () => undefined });
  try {
    const { system } = engine;
    while (!(await engine.readiness()).ready) await sleep(LOOK_MS);
    const startMs = performance.now();
    const untilMs = (options.hours * HOUR_MS) / config.calendar.scale;
    for (let atMs = 0; atMs < untilMs; atMs = performance.now() - startMs) {
      options.between(engine, await oraclesOf(engine, config), atMs);
      await sleep(LOOK_MS);
    }
    system.tell('guard', ARM);
    for (const base of config.symbols) system.tell(`position/${base}`, LEAVE);
    while (!isSettled(await oraclesOf(engine, config), dataDir)) await sleep(LOOK_MS);
    const oracles = await oraclesOf(engine, config);
    const identities = await restingIdentities(engine);
    const { actors, deadLetters } = await system.snapshot();
    const restarted = actors.filter(({ incarnation }) => incarnation !== 1).map(({ path }) => path);
    await engine.stop();
    return { rows: readJournal(dataDir), oracles, warnings, identities, deadLetters, restarted };
  } catch (error) {
    await engine.stop();
    throw error;
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** What the monitor found once it has read the last booking and every wallet was reported after it; what it has when that never comes. */
async function restingIdentities(engine: Engine): Promise<unknown> {
  for (const endMs = performance.now() + REST_MS_MAX; ; await sleep(LOOK_MS)) {
    const digest = (await engine.system.inspect('monitor'))?.digest as Partial<IdentitiesChecked> | undefined;
    const isExplained = digest?.wallets?.every(({ unexplainedMicro }) => unexplainedMicro === 0n) === true;
    if ((digest?.isCaughtUp === true && isExplained) || performance.now() > endMs) return digest;
  }
}

/** Asked again where the venues' thread is too busy to answer: the test's own deadline ends a run that hangs. */
async function oraclesOf(engine: Engine, config: TandemConfig): Promise<ReadonlyMap<string, VenueOracle>> {
  const oracles = new Map<string, VenueOracle>();
  for (const name of Object.keys(config.venues)) {
    while (!oracles.has(name)) {
      const oracle = await engine.accounts.oracle(name).catch(() => undefined);
      if (oracle !== undefined) oracles.set(name, oracle);
    }
  }
  return oracles;
}

function isSettled(oracles: ReadonlyMap<string, VenueOracle>, dataDir: string): boolean {
  const accounts = [...oracles.values()].flatMap((oracle) => [...oracle.accounts.values()]);
  const paid = accounts.reduce((sum, account) => sum + account.fundingPayments.length, 0);
  const booked = readJournal(dataDir).filter((row) => row.type === 'funding').length;
  return accounts.every(({ positions }) => positions.size === 0) && booked >= paid;
}
