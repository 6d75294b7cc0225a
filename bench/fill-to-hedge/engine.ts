/** The engine of fill-to-hedge on its own threads: everything but the strategy, in whose place the driver asks for entries. Main thread. */
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import { guardRef, strategyRef } from '../../actors/addresses.ts';
import type { GuardMessage } from '../../actors/guard-messages.ts';
import { loadConfig } from '../../config/load.ts';
import type { ChildSpec, SupervisorSpec } from '../../src/runtime/child-spec.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { hostsOf } from '../../src/venues/hosts.ts';
import { startEngineThreads } from '../order-path/engine-threads.ts';
import type { VenueAddress } from '../order-path/plan.ts';
import { driver, type DriverReport } from './driver.ts';
import { HEDGE_VENUE, MAKER_VENUE } from './plan.ts';
import type { ServerAddress, VenueAddresses } from './plan.ts';

const CONFIG_FILE = join(import.meta.dirname, 'engine.yaml');
/** Streams, comparison with the venue, leverage: a start does a lot. */
const READY_MS = 60_000;
const PHASE_MS = 60_000;
const LOOK_EVERY_MS = 50;
const ENTER_AGAIN_MS = 500;
const ASK_MS = 5_000;
const STOP_MS = 5_000;

export class Engine {
  /** Rejects as soon as something of it fails; never settles otherwise. */
  readonly failure: Promise<never>;
  readonly #system: ActorSystem;

  private constructor(system: ActorSystem, failure: Promise<never>) {
    this.#system = system;
    this.failure = failure;
  }

  /** Settles once an entry would be taken. */
  static async start(addresses: VenueAddresses, journalDirectory: string): Promise<Engine> {
    const { system, failure } = await startEngineThreads({
      config: loadConfig(CONFIG_FILE, {}),
      addresses: new Map([
        [MAKER_VENUE, addressOf(MAKER_VENUE, addresses.maker)],
        [HEDGE_VENUE, addressOf(HEDGE_VENUE, addresses.hedge)],
      ]),
      journalDirectory,
      tree: driven,
      tradingEntry: new URL('./trading-worker.ts', import.meta.url),
      delivery: [driver.delivery],
    });
    const engine = new Engine(system, failure);
    try {
      await engine.#until(READY_MS, 'trading at both venues', (now) => {
        return now.engine === 'TRADING' && now.venues === 2 && now.phase === 'IDLE';
      });
      return engine;
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /** Settles once a pair of so many pieces is being entered: asks again while a gate refuses, such as a book too old on a busy machine. */
  async enter(pieces: number): Promise<void> {
    const enter = { type: 'enter', pieces } as const;
    for (const endMs = performance.now() + PHASE_MS; performance.now() < endMs;) {
      await this.#system.ask(strategyRef.path, enter, { deadlineMs: ASK_MS });
      await pause(ENTER_AGAIN_MS);
      const { phase } = await this.#report();
      if (phase !== 'IDLE' && phase !== 'CLOSED' && phase !== 'FAILED') return;
    }
    throw new Error(`an entry must pass the gates within ${PHASE_MS} ms`);
  }

  /** Ends the pair; settles once another one may be entered. */
  async leave(): Promise<void> {
    await this.#until(PHASE_MS, 'an open pair', ({ phase }) => phase === 'OPEN');
    await this.#system.ask(strategyRef.path, { type: 'leave' }, { deadlineMs: ASK_MS });
    await this.#until(PHASE_MS, 'a closed pair', ({ phase }) => phase === 'CLOSED');
    await pause(COOLDOWN_MS);
  }

  /** Kills as a person would; returns when, ns of the clock that all threads share. */
  kill(level: 2 | 3): bigint {
    const atNs = process.hrtime.bigint();
    const killed: GuardMessage = { type: 'kill', level, reason: 'benchmark' };
    this.#system.tell(guardRef.path, killed);
    return atNs;
  }

  /** Settles once there is a pair in this phase. */
  async inPhase(phase: 'OPEN' | 'CLOSED' | 'FAILED'): Promise<void> {
    await this.#until(PHASE_MS, phase, (now) => now.phase === phase);
  }

  /** Lets the engine trade again after a kill; settles once another pair may be entered. */
  async resume(): Promise<void> {
    const resumed: GuardMessage = { type: 'set-engine-state', state: 'TRADING', reason: 'the next sample' };
    this.#system.tell(guardRef.path, resumed);
    await this.#until(PHASE_MS, 'an engine that trades', ({ engine }) => engine === 'TRADING');
    await pause(COOLDOWN_MS);
  }

  #report(): Promise<DriverReport> {
    const report = this.#system.ask(strategyRef.path, { type: 'report' }, { deadlineMs: ASK_MS });
    // The driver answers with what its message type says.
    return Promise.race([report as Promise<DriverReport>, this.failure]);
  }

  close(): Promise<void> {
    return this.#system.stop({ deadlineMs: STOP_MS });
  }

  async #until(limitMs: number, what: string, holds: (now: DriverReport) => boolean): Promise<void> {
    let last: DriverReport | undefined;
    for (const endMs = performance.now() + limitMs; performance.now() < endMs; await pause(LOOK_EVERY_MS)) {
      last = await this.#report();
      if (holds(last)) return;
    }
    throw new Error(`there must be ${what} within ${limitMs} ms, was ${JSON.stringify(last)}`);
  }
}

/** What cooldown.base in engine.yaml says, and a little. */
const COOLDOWN_MS = 1_200;

function addressOf(venue: string, { url, streamUrl }: ServerAddress): VenueAddress {
  const { restPath, streamPath } = hostsOf(venue);
  return { restUrl: url + restPath, streamUrl: streamUrl + streamPath };
}

/** The engine's tree with the driver at the strategy's place. */
function driven(engine: SupervisorSpec, thread: string): SupervisorSpec {
  const replaced = (child: ChildSpec): ChildSpec => {
    if (child.type === 'supervisor') return { ...child, children: child.children.map(replaced) };
    if (child.type !== 'actor' || child.id !== strategyRef.path) return child;
    return { type: 'actor', id: strategyRef.path, kind: driver.kind, args: {}, thread };
  };
  return { ...engine, children: engine.children.map(replaced) };
}
