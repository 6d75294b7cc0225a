/** Legs that became smaller without an order of ours: told, journaled, and the symbol kept out of the market until a person clears it. */
import { entryBlockOf, addReduction } from '../../src/execution/leg-reduction.ts';
import type { LegReduction, ReductionCause } from '../../src/execution/leg-reduction.ts';
import type { LegKey, LegSide } from '../../src/execution/facts.ts';
import { legKeyText } from '../../src/execution/facts.ts';
import type { Pair } from '../../src/execution/pair.ts';
import { isActive } from '../../src/execution/pair-state.ts';
import { legDistance } from './leg-danger.ts';
import { append, rowOf } from './journal.ts';
import { lotsOfLeg } from './pair-view.ts';
import { trackOf } from './state.ts';
import type { PositionSelf, PositionState } from './state.ts';

/** A leg this near to liquidation that becomes smaller by itself was liquidated, whether or not the venue says so. */
const TAKEN_BY_LIQUIDATION_DISTANCE = 0.02;

/** The leg of the active pair that lives at this key, with what is the pair's of it and how near its liquidation is. */
export interface LegBefore {
  readonly pair: Pair;
  readonly leg: LegSide;
  readonly lots: number;
  readonly distance: number | undefined;
}

/** Call before anything that may take lots from a leg is booked. Undefined where no active pair has a leg. */
export function legBefore(state: PositionState, self: PositionSelf, key: LegKey): LegBefore | undefined {
  const { pair } = state;
  if (pair === undefined || !isActive(pair.record.phase)) return undefined;
  const leg = (['long', 'short'] as const).find((side) => legKeyText(pair.record[side]) === legKeyText(key));
  if (leg === undefined) return undefined;
  const track = trackOf(state, key);
  const distance = track === undefined ? undefined : legDistance(state, pair, leg, track, self.monotonicMs());
  return { pair, leg, lots: lotsOfLeg(state, pair, leg), distance };
}

/**
 * Call after booking: tells and journals what was taken since `before`, less what orders of ours may have taken. `id` names the fact
 * that proves it, so that a repeat changes nothing.
 */
export function noteReduction(
  state: PositionState,
  self: PositionSelf,
  before: LegBefore | undefined,
  fact: { readonly id: string; readonly stated?: ReductionCause; readonly ownLots: number; readonly evidence: string },
): void {
  if (before === undefined) return;
  const { pair, leg } = before;
  const leftLots = lotsOfLeg(state, pair, leg);
  const takenLots = Math.abs(before.lots) - Math.abs(leftLots) - fact.ownLots;
  if (takenLots <= 0) return;
  const { venue, account, symbol } = pair.record[leg];
  const reduction: LegReduction = {
    venue,
    account,
    symbol,
    pairId: pair.record.pairId,
    leg,
    cause: fact.stated ?? inferredCause(before.distance),
    takenLots,
    leftLots,
    atMs: self.nowMs(),
    evidence: fact.evidence,
  };
  state.legReductions = addReduction(state.legReductions, reduction);
  append(state, self, [rowOf(state, self, 'leg-reduction', `leg-reduction:${fact.id}`, { reduction })]);
  self.count(`legs-reduced:${reduction.cause}`);
  const { distance } = before;
  self.log('error', 'leg-reduced', { ...reduction, ...(distance === undefined ? {} : { distance }) });
}

function inferredCause(distance: number | undefined): ReductionCause {
  return distance !== undefined && distance <= TAKEN_BY_LIQUIDATION_DISTANCE ? 'liquidation' : 'external';
}

/** A person looked at what keeps the symbol out: it may be entered again. */
export function clearEntryBlocks(state: PositionState, self: PositionSelf, reason: string): void {
  const cleared = state.legReductions.length;
  state.legReductions = [];
  state.clearedAtMs = self.nowMs();
  const id = `entry-blocks-cleared:${state.args.base}:${state.args.boot}.${self.incarnation}.${state.lastAppendId + 1}`;
  append(state, self, [rowOf(state, self, 'leg-reduction', id, { cleared: reason })]);
  self.log('warn', 'entry-blocks-cleared', { base: state.args.base, legReductions: cleared, reason });
}

/** Why the symbol must not be entered; empty when it may. */
export function entryBlock(state: PositionState): string {
  return entryBlockOf(state.legReductions);
}
