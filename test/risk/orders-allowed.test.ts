import { expect, it } from 'vitest';
import { isOrderAllowed, ordersAllowedIn } from '../../src/risk/orders-allowed.ts';

it.each([
  // state, a new pair, completing one, reducing
  ['STOPPED', false, false, true],
  ['ARMED', false, true, true],
  ['TRADING', true, true, true],
  ['REDUCE_ONLY', false, false, true],
  ['HALTED', false, false, true],
] as const)('%s lets out what opens: %s, what completes: %s, what reduces: %s', (state, opens, completes, reduces) => {
  const allowed = ordersAllowedIn({ state });
  expect(isOrderAllowed(allowed, { reduceOnly: false, opens: true })).toBe(opens);
  expect(isOrderAllowed(allowed, { reduceOnly: false, opens: false })).toBe(completes);
  expect(isOrderAllowed(allowed, { reduceOnly: true, opens: false })).toBe(reduces);
});
