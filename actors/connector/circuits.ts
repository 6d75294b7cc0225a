/** The three circuits of one venue account: what failed lately, and what may wait because of it. Connector thread. */
import {
  circuitAt,
  circuitEncouraged,
  circuitFailed,
  circuitSucceeded,
  circuitTripped,
  closedCircuit,
  passCircuit,
} from '../../src/risk/circuit-breaker.ts';
import type { CircuitBreaker } from '../../src/risk/circuit-breaker.ts';
import { fallBack } from './fall-back.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** Questions, connections, and orders with their cancels. */
export type CircuitName = 'rest' | 'ws' | 'orders';
export type Circuits = Record<CircuitName, CircuitBreaker>;

export function newCircuits(): Circuits {
  return { rest: closedCircuit, ws: closedCircuit, orders: closedCircuit };
}

export function noteFailure(state: ConnectorState, self: ConnectorSelf, name: CircuitName): void {
  change(state, self, name, (circuit, now) => circuitFailed(circuit, now, self.random('circuit').nextFraction()));
}

/** Refused for a limit: nobody asks again before `untilMs`. */
export function noteLimit(state: ConnectorState, self: ConnectorSelf, name: CircuitName, untilMs: number): void {
  change(state, self, name, (circuit, now) => circuitTripped(circuit, now, untilMs));
}

export function noteSuccess(state: ConnectorState, self: ConnectorSelf, name: CircuitName): void {
  change(state, self, name, circuitSucceeded);
}

/** The venue is back, its account compared completely: whatever failed before is worth a try now. */
export function encourageCircuits(state: ConnectorState, self: ConnectorSelf): void {
  for (const name of ['orders', 'rest', 'ws'] as const) change(state, self, name, circuitEncouraged);
}

/** Returns whether something that can wait may go now; `takePass` when it goes. */
export function mayPass(state: ConnectorState, self: ConnectorSelf, name: CircuitName): boolean {
  return passCircuit(state.circuits[name], self.monotonicMs()).passes;
}

/** It goes: where the circuit is half-open it is the probe. */
export function takePass(state: ConnectorState, self: ConnectorSelf, name: CircuitName): void {
  state.circuits[name] = passCircuit(state.circuits[name], self.monotonicMs()).circuit;
}

/** Returns which circuit is open, or undefined. */
export function openCircuit(state: ConnectorState, self: ConnectorSelf): string | undefined {
  const now = self.monotonicMs();
  const name = (['orders', 'rest', 'ws'] as const).find(
    (candidate) => circuitAt(state.circuits[candidate], now).status === 'open',
  );
  return name === undefined ? undefined : `the circuit of ${name} is open`;
}

export interface CircuitView {
  readonly name: CircuitName;
  readonly status: CircuitBreaker['status'];
  /** How often it opened in a row. */
  readonly openings: number;
  /** Open for so much longer, ms; 0 while it is not. */
  readonly opensForMs: number;
  /** Open because the venue refused for a limit. */
  readonly isLimited: boolean;
}

/** For people: the three circuits as of `nowMs`. */
export function circuitViews(circuits: Circuits, nowMs: number): readonly CircuitView[] {
  return (['rest', 'ws', 'orders'] as const).map((name) => {
    const { status, openings, openUntilMs, isLimited } = circuitAt(circuits[name], nowMs);
    const isOpen = status === 'open';
    return { name, status, openings, opensForMs: isOpen ? openUntilMs - nowMs : 0, isLimited: isOpen && isLimited };
  });
}

function change(
  state: ConnectorState,
  self: ConnectorSelf,
  name: CircuitName,
  next: (circuit: CircuitBreaker, nowMs: number) => CircuitBreaker,
): void {
  const now = self.monotonicMs();
  const before = circuitAt(state.circuits[name], now);
  const after = next(before, now);
  state.circuits[name] = after;
  if (after.status === before.status) return;
  // More connections than usual may be what the venue or the way to it cannot take.
  if (name === 'rest' && after.status === 'open')
    fallBack(state, self, 'premium-profile', 'the circuit of rest opened');
  const { venue, account } = state.args;
  self.count(`circuit-${after.status}:${name}`);
  self.log(after.status === 'closed' ? 'info' : 'warn', `circuit-${after.status}`, {
    venue,
    account,
    circuit: name,
    ...(after.status === 'open' ? { ms: Math.round(after.openUntilMs - now), openings: after.openings } : {}),
  });
}
