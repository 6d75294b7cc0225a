import { describe, expect, it } from 'vitest';
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

const ALMOST_ONE = 1 - 2 ** -53;
function fail(circuit: CircuitBreaker, times: readonly number[], fraction = 0): CircuitBreaker {
  return times.reduce((current, atMs) => circuitFailed(current, atMs, fraction), circuit);
}

describe('a circuit', () => {
  it('opens at the fifth failure within 30 s, and not at five that are further apart', () => {
    expect(fail(closedCircuit, [0, 1, 2, 3]).status).toBe('closed');
    expect(fail(closedCircuit, [0, 1, 2, 3, 4]).status).toBe('open');
    expect(fail(closedCircuit, [0, 10_000, 20_000, 30_000, 40_000]).status).toBe('closed');
  });

  it('stays open for a time drawn below a ceiling that doubles from 60 s to 15 min', () => {
    let circuit = fail(closedCircuit, [0, 0, 0, 0, 0], ALMOST_ONE);
    const lengths = [Math.round(circuit.openUntilMs)];
    for (let opening = 0; opening < 6; opening++) {
      const fromMs = circuit.openUntilMs;
      circuit = circuitFailed(circuit, fromMs, ALMOST_ONE);
      lengths.push(Math.round(circuit.openUntilMs - fromMs));
    }
    expect(lengths).toEqual([60_000, 120_000, 240_000, 480_000, 900_000, 900_000, 900_000]);
    expect(fail(closedCircuit, [0, 0, 0, 0, 0], 0).openUntilMs).toBe(5_000);
  });

  it('opens at once for a refusal for a limit, as long as was asked for, never shorter than before', () => {
    const circuit = circuitTripped(closedCircuit, 0, 90_000);
    expect(circuit).toMatchObject({ status: 'open', openUntilMs: 90_000 });
    expect(circuitTripped(circuit, 10, 40_000).openUntilMs).toBe(90_000);
    expect(circuitAt(circuit, 89_999).status).toBe('open');
  });

  it('lets exactly one probe through when its time is over, and what became of it decides', () => {
    const circuit = circuitTripped(closedCircuit, 0, 100);
    expect(passCircuit(circuit, 99).passes).toBe(false);
    const probing = passCircuit(circuit, 100);
    expect(probing.passes).toBe(true);
    expect(passCircuit(probing.circuit, 101).passes).toBe(false);
    expect(circuitSucceeded(probing.circuit, 102)).toEqual(closedCircuit);
    expect(circuitFailed(probing.circuit, 102, 0.5)).toMatchObject({ status: 'open', openings: 2 });
    // One that never ends does not hold the circuit for ever.
    expect(passCircuit(probing.circuit, 30_100).passes).toBe(true);
  });

  it('is not closed by what passed it out of need while it was open', () => {
    const circuit = circuitTripped(closedCircuit, 0, 100);
    expect(circuitSucceeded(circuit, 50).status).toBe('open');
  });

  it('lets its probe go at once when the venue is seen to work, but not before a limit the venue named is over', () => {
    let circuit = fail(closedCircuit, [0, 0, 0, 0, 0], ALMOST_ONE);
    circuit = circuitFailed(circuit, circuit.openUntilMs, ALMOST_ONE);
    const back = circuitEncouraged(circuit, 61_000);
    expect(back.status).toBe('half-open');
    expect(passCircuit(back, 61_000).passes).toBe(true);
    // Its probe fails: the next time is longer still.
    expect(circuitFailed(back, 61_000, ALMOST_ONE).openUntilMs).toBeCloseTo(61_000 + 240_000, 0);
    expect(circuitEncouraged(circuitTripped(circuit, 61_000, 90_000), 62_000).status).toBe('open');
    expect(circuitEncouraged(closedCircuit, 5)).toBe(closedCircuit);
  });
});
