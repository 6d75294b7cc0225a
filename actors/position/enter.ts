/** Turning a plan of the strategy into a pair. */
import { openingOrders } from '../../src/execution/pair-opening.ts';
import { newTiming } from '../../src/execution/pair-state.ts';
import type { Pair, PairLeg, PairRecord } from '../../src/execution/pair.ts';
import { noDanger, noDangerNews } from '../../src/strategy/danger.ts';
import { initialExitState } from '../../src/strategy/exit-decision.ts';
import type { EntryPlan, LegPlan } from '../position-messages.ts';
import { plan as planOrders } from './carry-out.ts';
import { entryRefusal } from './gates.ts';
import type { PositionSelf, PositionState } from './state.ts';

/** Writes the whole plan to the journal; nothing leaves before that is durable and the gates have been asked again. */
export function enter(state: PositionState, self: PositionSelf, plan: EntryPlan): void {
  const refusal = entryRefusal(state, self, plan);
  state.refusal = refusal ?? '';
  if (refusal !== undefined) {
    // Whoever asked waits for a picture: tell one now.
    state.lastTold = undefined;
    self.count(`entries-refused:${refusal}`);
    self.log('info', 'entry-refused', { base: state.args.base, refusal });
    return;
  }
  const record: PairRecord = {
    pairId: pairIdOf(state),
    base: state.args.base,
    revision: 1,
    phase: 'PREFLIGHT',
    reason: 'ENTER',
    long: legOf(plan.long),
    short: legOf(plan.short),
    entry: plan.entry.mode === 'maker-taker' ? { ...plan.entry, ended: '' } : plan.entry,
    expected: plan.expected,
    decidedAtMs: plan.decidedAtMs,
    enteredAtMs: self.nowMs(),
    openedAtMs: 0,
    closedAtMs: 0,
    exitReason: '',
    brokenOrders: 0,
    failures: state.pair?.record.failures ?? 0,
    cooldownUntilMs: 0,
  };
  const orders = openingOrders(record);
  const timing = newTiming(self.monotonicMs());
  const lastSendAtMs = { ...timing.lastSendAtMs };
  for (const { leg } of orders) lastSendAtMs[leg] = self.monotonicMs();
  const pair: Pair = { record, timing: { ...timing, lastSendAtMs } };
  state.pair = pair;
  state.exit = initialExitState;
  state.danger = noDanger;
  state.dangerNews = noDangerNews;
  const { mode } = plan.entry;
  self.log('info', 'pair-entering', {
    pairId: record.pairId,
    long: record.long.venue,
    short: record.short.venue,
    mode,
  });
  planOrders(state, self, pair, orders, pair);
}

/** Sortable within a symbol and never repeated: it counts with the client order ids. */
export function pairIdOf(state: PositionState): string {
  const { base, boot } = state.args;
  return `${base}-${String(boot).padStart(7, '0')}-${String(state.orderCounter + 1).padStart(7, '0')}`;
}

function legOf(leg: LegPlan): PairLeg {
  const { venue, account, symbol, lots, limitTicks, vwapTicks } = leg;
  return { venue, account, symbol, lots, limitTicks, vwapTicks };
}
