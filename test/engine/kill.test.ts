import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PairSummary, TradingSummary } from '../../actors/observer.ts';
import { loadConfig } from '../../config/load.ts';
import type { ConfigOverrides, TandemConfig } from '../../config/schema.ts';
import type { PlannedOrder } from '../../src/execution/facts.ts';
import type { PairRecord } from '../../src/execution/pair.ts';
import { randomStream } from '../../src/runtime/random.ts';
import type { AccountOracle, SimulatedVenue } from '../../src/simulation/simulated-venue.ts';
import { hostVenues, VENUES } from './hosted-venues.ts';
import type { HostedVenues } from './hosted-venues.ts';
import { expectBooksExact, expectRowsExact } from './identities-check.ts';
import { readJournal } from './journal-rows.ts';
import { expectLedgerEqualsOracle } from './ledger-check.ts';

const CONFIG = join(import.meta.dirname, 'fixtures', 'kill.yaml');
const ENGINE = join(import.meta.dirname, 'fixtures', 'engine-process.ts');
/**
 * Seeded, and printed by the tests' names: the instants are random, the failures repeatable in kind. One engine is spread over
 * threads, the other has all its actors and its journal on one: what dies half done differs.
 */
const ENGINES = [
  { seed: 20_261_121, shape: 'threads', workers: {} },
  { seed: 20_261_122, shape: 'one thread', workers: { io: 0, trading: 0, cpu: 0 } },
] as const;
/** Of each of the engines, which live side by side, each with venues of its own. */
const KILLS = 25;
/** From the venue's first sight of a new order: the middle of an open, through hedge and confirmation. */
const KILL_WITHIN_MS = 150;
/** Pairs that recovery may leave to a person: about one in ten kills. */
const QUARANTINED_MAX = Math.ceil(KILLS / 10);
/** Each start reads and subscribes anew; more of them in a minute than this allows would break the venue's limits by themselves. */
const CYCLE_MS = 3_200;

/** How often the engine, its venues and its journal are looked at. */
const LOOK_MS = 50;

/** One life of the engine's process. */
class EngineProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(overrides: ConfigOverrides) {
    this.#child = fork(ENGINE, [CONFIG, JSON.stringify(overrides)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
    });
  }

  async #answer<Answer>(type: string): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      const onEnd = (): void => reject(new Error(`the engine ended while ${type} was awaited`));
      const onMessage = (message: { readonly type: string }): void => {
        if (message.type !== type) return;
        this.#child.off('message', onMessage);
        this.#child.off('disconnect', onEnd);
        resolve(message as Answer);
      };
      this.#child.on('message', onMessage);
      // Not `exit`: that may come before what was said last is read.
      this.#child.once('disconnect', onEnd);
    });
  }

  async started(): Promise<void> {
    await this.#answer('started');
  }

  async #ask<Answer>(type: string): Promise<Answer> {
    const answer = this.#answer<Answer>(type);
    this.#child.send({ type });
    return await answer;
  }

  async summary(): Promise<TradingSummary | undefined> {
    return (await this.#ask<{ readonly summary?: TradingSummary }>('summary')).summary;
  }

  async ready(): Promise<void> {
    while (!(await this.#ask<{ readonly ready: boolean }>('readiness')).ready) await sleep(LOOK_MS);
  }

  /** Every position actor rests: nothing on its way, nothing in between. */
  async atRest(): Promise<readonly PairSummary[]> {
    for (;;) {
      const pairs = (await this.summary())?.pairs ?? [];
      const resting = ['IDLE', 'OPEN', 'CLOSED', 'FAILED', 'QUARANTINED'];
      if (pairs.length === 2 && pairs.every((pair) => pair.liveOrders === 0 && resting.includes(pair.phase)))
        return pairs;
      await sleep(LOOK_MS);
    }
  }

  tell(path: string, message: object): void {
    this.#child.send({ type: 'tell', path, message });
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async stop(): Promise<boolean> {
    const answer = this.#answer<{ readonly quiet: boolean }>('stopped');
    this.#child.send({ type: 'stop' });
    const { quiet } = await answer;
    await this.#ended;
    return quiet;
  }
}

/** How each venue refuses a client order id that it has seen: Lighter by its code, Extended by its text. */
const DUPLICATE = /"code":21728\b|Duplicate Order/;

/** The same venue; tells each refusal of a client order id that was used before. */
function countingDuplicates(venue: SimulatedVenue, onDuplicate: () => void): SimulatedVenue {
  return {
    venue: venue.venue,
    handle: (input, at) => {
      const outputs = venue.handle(input, at);
      for (const output of outputs) {
        const text = output.type === 'http-answer' ? output.body : output.type === 'socket-text' ? output.text : '';
        if (DUPLICATE.test(text)) onDuplicate();
      }
      return outputs;
    },
    nextWakeMs: () => venue.nextWakeMs(),
    oracle: () => venue.oracle(),
    inject: (fault, options) => venue.inject(fault, options),
  };
}

describe.concurrent.each(ENGINES)(`an engine on $shape killed ${KILLS} times (seed $seed)`, ({ seed, workers }) => {
  let config: TandemConfig;
  let overrides: ConfigOverrides;
  let hosted: HostedVenues;
  let duplicatesRefused = 0;

  beforeAll(async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'tandem-kill-'));
    const anchorAt = new Date().toISOString();
    config = loadConfig(CONFIG, { dataDir, calendar: { anchorAt } });
    hosted = await hostVenues(config, (venue) => countingDuplicates(venue, () => (duplicatesRefused += 1)));
    overrides = { dataDir, workers, calendar: { anchorAt }, venues: hosted.addresses };
  });
  afterAll(() => hosted.close());

  const account = (name: string): AccountOracle => hosted.account(name);
  const ordersSeen = (): number => VENUES.reduce((sum, name) => sum + account(name).orders.length, 0);
  const fillsJournaled = (): number => readJournal(config.dataDir).filter((row) => row.type === 'fill').length;
  const fillsMade = (): number => VENUES.reduce((sum, name) => sum + account(name).fills.length, 0);

  /** After a recovery: no fill missing, no order alive, and what each symbol holds is balanced or set aside. */
  async function checkRecovered(engine: EngineProcess): Promise<void> {
    const pairs = await engine.atRest();
    while (fillsJournaled() < fillsMade()) await sleep(LOOK_MS);
    expect(fillsJournaled()).toBe(fillsMade());
    for (const name of VENUES)
      expect(account(name).orders.filter((order) => order.status === 'queued' || order.status === 'open')).toEqual([]);
    for (const pair of pairs) {
      if (pair.phase === 'QUARANTINED') continue;
      let heldUnits = 0n;
      for (const name of VENUES) {
        for (const [symbol, lots] of account(name).positions) {
          if (symbol.startsWith(pair.base))
            heldUnits += BigInt(lots) * (hosted.unitsPerLot.get(`${name} ${symbol}`) ?? 0n);
        }
      }
      expect(heldUnits, `${pair.base} is ${pair.phase} (${pair.reason})`).toBe(0n);
    }
  }

  it(
    'never sends an order twice, never misses a fill, and finds every pair balanced, closed or quarantined',
    { timeout: 1_200_000 },
    async () => {
      const random = randomStream(seed, 'kill instants');
      for (let kill = 0; kill < KILLS; kill++) {
        const cycleFromMs = performance.now();
        const engine = new EngineProcess(overrides);
        await engine.started();
        await engine.ready();
        await checkRecovered(engine);
        const before = ordersSeen();
        engine.tell('guard', { type: 'set-engine-state', state: 'TRADING', reason: 'kill test' });
        while (ordersSeen() === before) await sleep(2);
        await sleep(random.nextFraction() * KILL_WITHIN_MS);
        await engine.kill();
        await sleep(Math.max(0, CYCLE_MS - (performance.now() - cycleFromMs)));
      }

      const last = new EngineProcess(overrides);
      await last.started();
      await last.ready();
      await checkRecovered(last);
      for (const base of config.symbols) last.tell(`position/${base}`, { type: 'exit-pair', reason: 'MANUAL' });
      while (VENUES.some((name) => account(name).positions.size > 0)) await sleep(50);
      const payments = (): number => VENUES.reduce((sum, name) => sum + account(name).fundingPayments.length, 0);
      while (readJournal(config.dataDir).filter((row) => row.type === 'funding').length < payments()) await sleep(200);
      while ((await last.summary())?.identities?.isCaughtUp !== true) await sleep(100);
      expectBooksExact((await last.summary())?.identities);
      expect(await last.stop()).toBe(true);

      // Nothing was even tried twice.
      expect(duplicatesRefused).toBe(0);
      const rows = readJournal(config.dataDir);
      expectRowsExact(rows);
      const quarantined = new Set(
        rows
          .filter((row) => row.type === 'pair-state')
          .map((row) => row.payload['pair'] as PairRecord)
          .filter(({ phase }) => phase === 'QUARANTINED')
          .map(({ pairId }) => pairId),
      );
      // Setting aside is the last resort, not the way to pass this test.
      process.stdout.write(`${quarantined.size} pairs quarantined in ${KILLS} kills\n`);
      expect(quarantined.size, [...quarantined].join(', ')).toBeLessThanOrEqual(QUARANTINED_MAX);
      for (const name of VENUES) {
        const books = account(name);
        expectLedgerEqualsOracle(rows, name, 'main', books);
        // One intent, one order: the venue has seen no client order id that was not planned, and none twice.
        const planned = rows
          .filter((row) => row.type === 'order-planned')
          .map((row) => row.payload['order'] as PlannedOrder);
        const ids = books.orders.map((order) => order.clientOrderId);
        expect(new Set(ids).size).toBe(ids.length);
        const plannedIds = new Set(planned.filter((order) => order.venue === name).map((order) => order.clientOrderId));
        expect(ids.filter((id) => !plannedIds.has(id))).toEqual([]);
        // Each attempt of a leg is one order of its own, so that two of them cannot live at once.
        const accepted = new Set(ids);
        const attempts = planned
          .filter((order) => order.venue === name && accepted.has(order.clientOrderId))
          .map(({ pairId, leg, purpose, attempt }) => `${pairId} ${leg} ${purpose} ${attempt}`);
        expect(attempts.filter((attempt, index) => attempts.indexOf(attempt) < index)).toEqual([]);
        expect(hosted.byName.get(name)?.oracle().rateLimitRefusals).toBe(0);
      }
    },
  );
});
