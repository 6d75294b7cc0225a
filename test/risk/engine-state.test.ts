import { describe, expect, it, test } from 'vitest';
import {
  brokenLossLimit,
  emptyLossWatch,
  goesUp,
  killed,
  observeResult,
  startedFrom,
} from '../../src/risk/engine-state.ts';
import type { Engine, EngineState } from '../../src/risk/engine-state.ts';

const engine = (state: EngineState, flatten = false): Engine => ({ state, reason: 'test', flatten });
const states: readonly EngineState[] = ['HALTED', 'STOPPED', 'REDUCE_ONLY', 'ARMED', 'TRADING'];

test.each([1, 2] as const)('K%i leaves at most reducing, after a start too', (level) => {
  const after = states.map((state) => killed(engine(state), level, 'x').state);
  expect(after).toEqual(['HALTED', 'REDUCE_ONLY', 'REDUCE_ONLY', 'REDUCE_ONLY', 'REDUCE_ONLY']);
});

it('takes everything that allows more for a step up', () => {
  expect(goesUp(engine('HALTED', true), engine('HALTED'))).toBe(true);
  expect(goesUp(engine('REDUCE_ONLY'), engine('TRADING'))).toBe(true);
  expect(goesUp(engine('TRADING'), engine('ARMED'))).toBe(false);
});

it('K3 flattens from every state and stays', () => {
  const flat = killed(engine('TRADING'), 3, 'first');
  expect(flat).toEqual({ state: 'HALTED', reason: 'first', flatten: true });
  expect(killed(flat, 3, 'second')).toBe(flat);
  expect(killed(flat, 1, 'second')).toBe(flat);
});

it('a kill switch outlives the process, resumed trading or not', () => {
  for (const resume of [true, false]) {
    expect(startedFrom(engine('HALTED', true), resume)).toEqual(engine('HALTED', true));
    expect(startedFrom(engine('REDUCE_ONLY'), resume)).toEqual(engine('REDUCE_ONLY'));
  }
});

it('never starts trading unless the configuration says so', () => {
  expect(startedFrom(engine('TRADING'), false).state).toBe('ARMED');
  expect(startedFrom(undefined, false).state).toBe('ARMED');
  expect(startedFrom(undefined, true).state).toBe('TRADING');
});

describe('losses', () => {
  const limits = { dailyLossMicro: 100_000_000n, maxDrawdownMicro: 300_000_000n };
  const day = 86_400_000;

  it('are counted from where the UTC day began', () => {
    const first = observeResult(emptyLossWatch, -80_000_000n, day);
    expect(brokenLossLimit(first, -179_999_999n, limits)).toBeUndefined();
    expect(brokenLossLimit(first, -180_000_000n, limits)).toBe('DAILY_LOSS: lost 100.00 of 100.00 today');
    const next = observeResult(first, -179_000_000n, 2 * day);
    expect(brokenLossLimit(next, -180_000_000n, limits)).toBeUndefined();
  });

  it('add up over days against the best result ever seen', () => {
    let watch = observeResult(emptyLossWatch, 50_000_000n, day);
    for (let step = 1; step <= 4; step += 1)
      watch = observeResult(watch, 50_000_000n - BigInt(step) * 70_000_000n, (1 + step) * day);
    expect(brokenLossLimit(watch, -249_999_999n, limits)).toBeUndefined();
    expect(brokenLossLimit(watch, -250_000_000n, limits)).toBe('DRAWDOWN: fell 300.00 of 300.00');
  });
});
