/** Every state machine that is drawn as a table does what its table says, and its table says all that it does. */
import { expect, it } from 'vitest';
import { decideStatus } from '../actors/connector/status.ts';
import type { StatusFacts } from '../actors/connector/status.ts';
import { advanceOrder, plannedOrder } from '../src/execution/order-state.ts';
import type { OrderInput, OrderState } from '../src/execution/order-state.ts';
import type { OrderChangedFact } from '../src/execution/facts.ts';
import { decideRecovery } from '../src/execution/recovery.ts';
import type { RecoveryFacts } from '../src/execution/recovery.ts';
import type { MicroUnits, PriceTicks, QuantityLots } from '../src/money/units.ts';
import {
  FAILURE_WINDOW_MS,
  circuitAt,
  circuitEncouraged,
  circuitFailed,
  circuitSucceeded,
  circuitTripped,
  closedCircuit,
} from '../src/risk/circuit-breaker.ts';
import type { CircuitBreaker } from '../src/risk/circuit-breaker.ts';
import { killed, startedFrom } from '../src/risk/engine-state.ts';
import type { Engine, EngineState } from '../src/risk/engine-state.ts';
import { isRestarted } from '../src/runtime/restart-policy.ts';
import { orderOf } from './actors/monitor-world.ts';
import { changesOf, drawnTable, expectDrawn } from './drawn-table.ts';
import type { Transition } from './drawn-table.ts';

it('a circuit breaker', () => {
  const failures = (times: number): CircuitBreaker => {
    let circuit: CircuitBreaker = closedCircuit;
    for (let failure = 0; failure < times; failure += 1) circuit = circuitFailed(circuit, 0, 0.5);
    return circuit;
  };
  const open = failures(5);
  const now = (circuit: CircuitBreaker): number => (circuit.status === 'open' ? 1 : Math.max(1, circuit.openUntilMs));
  const changes = changesOf<CircuitBreaker>(
    { closed: failures(4), open, 'half-open': circuitAt(open, open.openUntilMs) },
    {
      'fifth failure in 30 s': (circuit) => (circuit.status === 'half-open' ? circuit : circuitFailed(circuit, 1, 0.5)),
      'the probe fails': (circuit) =>
        circuit.status === 'half-open' ? circuitFailed(circuit, open.openUntilMs, 0.5) : circuit,
      'fifth failure later': (circuit) =>
        circuit.status === 'closed' ? circuitFailed(circuit, FAILURE_WINDOW_MS + 1, 0.5) : circuit,
      'refusal for a limit': (circuit) =>
        circuitTripped(circuit, circuit.status === 'half-open' ? open.openUntilMs : 1, 1e9),
      success: (circuit) => circuitSucceeded(circuit, circuit.status === 'half-open' ? open.openUntilMs : now(circuit)),
      'seen to work again': (circuit) => (circuit.status === 'open' ? circuitEncouraged(circuit, 1) : circuit),
      'its time is over': (circuit) => circuitAt(circuit, circuit.status === 'open' ? circuit.openUntilMs : 1),
    },
    ({ status }) => status,
  );
  expectDrawn('src/risk/circuit-breaker.ts', changes);
});

it('the engine, as kills and a start change it', () => {
  const engine = (state: EngineState, flatten = false): Engine => ({ state, reason: 'test', flatten });
  const leaving = { leaving: true } as const;
  const states: Readonly<Record<string, Engine>> = {
    STOPPED: engine('STOPPED'),
    ARMED: engine('ARMED'),
    TRADING: engine('TRADING'),
    REDUCE_ONLY: engine('REDUCE_ONLY'),
    HALTED: engine('HALTED'),
    'HALTED flattening': engine('HALTED', true),
    'HALTED leaving': { ...engine('HALTED'), ...leaving },
    'HALTED flattening leaving': { ...engine('HALTED', true), ...leaving },
  };
  // Leaving is of one process and never written: no start begins with it.
  const start = (of: Engine, resumes: boolean): Engine => (of.leaving === true ? of : startedFrom(of, resumes));
  const changes = changesOf(
    states,
    {
      K1: (of) => killed(of, 1, 'test'),
      K2: (of) => killed(of, 2, 'test'),
      K3: (of) => killed(of, 3, 'test'),
      K4: (of) => killed(of, 4, 'test'),
      start: (of) => start(of, false),
      'start that resumes': (of) => start(of, true),
    },
    (of) => [of.state, ...(of.flatten ? ['flattening'] : []), ...(of.leaving === true ? ['leaving'] : [])].join(' '),
  );
  expectDrawn('src/risk/engine-state.ts', changes);
});

it('an order', () => {
  const planned = orderOf('42', 0, { lots: 10 });
  const told = (status: OrderChangedFact['status'], filledLots?: number): OrderInput => ({
    type: 'changed',
    fact: {
      type: 'order-changed',
      venue: 'L',
      account: 'main',
      symbol: 'ETH',
      clientOrderId: '42',
      status,
      venueOrderId: 'v',
      ...(filledLots === undefined ? {} : { filledLots }),
      code: '',
      reason: '',
      atMs: 0,
      sequence: 1_000,
    },
  });
  const fill = (lots: number): OrderInput => ({
    type: 'filled',
    fill: {
      fillId: `another ${lots}`,
      symbol: 'ETH',
      clientOrderId: '42',
      venueOrderId: 'v',
      side: 'buy',
      priceTicks: 1 as PriceTicks,
      lots: lots as QuantityLots,
      feeMicro: 0n as MicroUnits,
      liquidity: 'taker',
      venueAtMs: 0,
    },
  });
  const after = (...inputs: readonly OrderInput[]): OrderState =>
    inputs.reduce((order, input) => advanceOrder(order, input).order, plannedOrder(planned));
  const sent: OrderInput = { type: 'handed-over' };
  const taken: OrderInput = {
    ...told('accepted'),
    fact: { ...(told('accepted') as { fact: OrderChangedFact }).fact, sequence: 1 },
  } as OrderInput;
  const samples = {
    PLANNED: after(),
    SENDING: after(sent),
    OPEN: after(sent, taken),
    UNKNOWN: after(sent, { type: 'unanswered' }),
    FILLED: after(sent, taken, fill(10)),
    CANCELLED: after(sent, taken, told('cancelled', 0)),
    REJECTED: after(sent, told('rejected')),
    EXPIRED: after(sent, taken, told('expired', 0)),
    LOST: after(sent, { type: 'unanswered' }, { type: 'resolution-exhausted' }),
  };
  const play =
    (input: OrderInput) =>
    (order: OrderState): OrderState =>
      advanceOrder(order, input).order;
  const changes = changesOf<OrderState>(
    samples,
    {
      // A second handing over is a mistake of ours and throws.
      'handed over': (order) => (order.life === 'planned' ? play(sent)(order) : order),
      aborted: (order) => (order.status === 'PLANNED' ? play({ type: 'aborted', reason: 'test' })(order) : order),
      unanswered: play({ type: 'unanswered' }),
      'budget spent': play({ type: 'resolution-exhausted' }),
      'part filled': play(fill(3)),
      'rest filled': play(fill(10)),
      ...Object.fromEntries(
        (
          ['accepted', 'refused', 'unknown', 'not-found', 'open', 'filled', 'cancelled', 'rejected', 'expired'] as const
        ).map((status) => [`told ${status}`, play(told(status))]),
      ),
    },
    ({ status }) => status,
  );
  expect(() => advanceOrder(samples.SENDING, sent)).toThrow('at most once');
  expectDrawn('src/execution/order-state.ts', changes);
});

it('a supervised child that ended', () => {
  const ends = ['normal', 'shutdown', 'crashed', 'killed', 'thread-died'] as const;
  const becomes = (['permanent', 'transient', 'temporary'] as const).flatMap((restart) =>
    ends.map((kind): Transition => [
      restart,
      kind,
      isRestarted(restart, { kind, detail: '' }) ? 'started again' : 'ended',
    ]),
  );
  expectDrawn('src/runtime/restart-policy.ts', becomes);
});

it('the status of a venue: every situation is decided by its first row, and every row decides one', () => {
  const conditions: Readonly<Record<string, (facts: StatusFacts) => boolean>> = {
    'disconnected for good (K4)': (of) => of.left !== undefined,
    'refused for good': (of) => of.fatal !== undefined,
    'access refused': (of) => of.accessRefused !== undefined,
    'instruments not read': (of) => !of.isRunning,
    'private stream not ready': (of) => !of.privateReady,
    'not compared': (of) => !of.reconciled,
    'next nonce awaited': (of) => of.isNonceAwaited,
    'something cannot be': (of) => of.doubt !== undefined,
    'a circuit is open': (of) => of.openCircuit !== undefined,
    'none of these': () => true,
  };
  const rows = drawnTable('actors/connector/status.ts', ['facts', 'status']);
  const hits = new Set<number>();
  for (let bits = 0; bits < 2 ** 9; bits += 1) {
    const is = (bit: number): boolean => ((bits >> bit) & 1) === 1;
    const text = (bit: number, words: string): string | undefined => (is(bit) ? words : undefined);
    const facts: StatusFacts = {
      left: text(0, 'left'),
      fatal: text(1, 'fatal'),
      accessRefused: text(2, 'access'),
      isRunning: is(3),
      privateReady: is(4),
      reconciled: is(5),
      isNonceAwaited: is(6),
      doubt: text(7, 'doubt'),
      openCircuit: text(8, 'circuit'),
    };
    const at = rows.findIndex(([name = '']) => {
      const holds = conditions[name];
      if (holds === undefined) throw new Error(`the table names facts that no test knows: ${name}`);
      return holds(facts);
    });
    hits.add(at);
    expect(rows[at]?.[1], JSON.stringify(facts)).toBe(decideStatus(facts)[0]);
  }
  expect([...hits].toSorted((one, other) => one - other)).toEqual([...rows.keys()]);
});

it('the table of a restart: every situation is decided by its first row, and every row decides one', () => {
  const conditions: Readonly<Record<string, (facts: RecoveryFacts) => boolean>> = {
    'undecided, exposed too long': (of) => isWaiting(of) && of.exposed && of.waitedMs >= of.exposedMsMax,
    'undecided, waited too long': (of) => isWaiting(of) && of.waitedMs >= of.waitMsMax,
    undecided: isWaiting,
    'nothing of ours is open': () => true,
    'an order is lost': (of) => of.lost > 0,
    'nothing filled': (of) => !of.filled.long && !of.filled.short,
    'positions differ from fills': (of) => !of.matches,
    'legs are equal': (of) => of.balanced,
    'too old to complete': (of) => of.ageMs >= of.completeMs,
    'a gate refuses': (of) => of.increaseRefused !== undefined,
    'one leg ahead': () => true,
    'as journaled': () => true,
  };
  const rows = drawnTable('src/execution/recovery.ts', ['phase', 'facts', 'action']);
  const hits = new Set<number>();
  for (const facts of situations()) {
    const at = rows.findIndex(([phases = '', name = '']) => {
      const holds = conditions[name];
      if (holds === undefined) throw new Error(`the table names facts that no test knows: ${name}`);
      return phases.split(', ').includes(facts.phase) && holds(facts);
    });
    hits.add(at);
    expect(rows[at]?.[2], JSON.stringify(facts)).toBe(decideRecovery(facts).action);
  }
  expect([...hits].toSorted((one, other) => one - other)).toEqual([...rows.keys()]);
});

/** Nothing can be concluded yet: a venue is silent, an order open, or an unfilled pair's positions are not what they should be. */
function isWaiting(of: RecoveryFacts): boolean {
  if (!of.compared) return true;
  if (of.phase !== 'PREFLIGHT' && of.phase !== 'OPENING') return false;
  if (of.lost > 0) return false;
  return of.unresolved > 0 || (!of.filled.long && !of.filled.short && !of.matches);
}

function* situations(): Generator<RecoveryFacts> {
  const phases = [
    'IDLE',
    'PREFLIGHT',
    'OPENING',
    'OPEN',
    'REBALANCING',
    'CLOSING',
    'UNWINDING',
    'QUARANTINED',
    'CLOSED',
    'FAILED',
  ] as const;
  for (const phase of phases)
    for (let bits = 0; bits < 2 ** 10; bits += 1) {
      const is = (bit: number): boolean => ((bits >> bit) & 1) === 1;
      yield {
        phase,
        compared: is(0),
        exposed: is(1),
        waitedMs: is(2) ? 60_000 : is(3) ? 2_000 : 0,
        exposedMsMax: 2_000,
        waitMsMax: 60_000,
        unresolved: is(4) ? 1 : 0,
        lost: is(5) ? 1 : 0,
        filled: { long: is(6), short: is(6) && is(7) },
        balanced: is(7),
        matches: is(8),
        ageMs: is(9) ? 20_000 : 0,
        completeMs: 10_000,
        increaseRefused: is(3) ? 'SPREAD' : undefined,
      };
    }
}
