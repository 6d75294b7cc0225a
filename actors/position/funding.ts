/** What settlements should have paid, kept by a position actor: payments that are wrong or do not come are told. */
import type { FundingExpectation } from '../../src/execution/funding-expectation.ts';
import { microText } from '../../src/money/amounts.ts';
import type { PositionSelf, PositionState } from './state.ts';

/** Takes over the expectations and raises an alarm for each that has just turned out wrong. */
export function keepExpectations(
  state: PositionState,
  self: PositionSelf,
  next: readonly FundingExpectation[],
  received?: bigint,
): void {
  const before = new Map(state.expectations.map((known) => [keyOf(known), known.status]));
  state.expectations = next;
  for (const known of next) {
    if (known.status === before.get(keyOf(known))) continue;
    if (known.status !== 'MISMATCH' && known.status !== 'MISSING') continue;
    self.count(`funding-${known.status.toLowerCase()}`);
    self.log('error', known.status === 'MISMATCH' ? 'funding-mismatch' : 'funding-missing', {
      base: state.args.base,
      leg: known.leg,
      settleAtMs: known.settleAtMs,
      expected: microText(known.expectedMicro),
      ...(known.status === 'MISMATCH' && received !== undefined ? { received: microText(received) } : {}),
    });
  }
}

function keyOf({ leg, settleAtMs }: FundingExpectation): string {
  return `${leg} ${settleAtMs}`;
}
