/**
 * An entry whose one leg is quoted: a post-only order rests, each of its fills is hedged as it comes (domain 7.2). Pure, any thread.
 *
 * ```
 *   quote ──▶ resting ──fill──▶ hedge at once, the rest goes on resting
 *     ▲          │ the market left it, or it would enter worse than planned
 *     │          ▼
 *     └── cancelled, all fills known                     whole, too late, too dear, too long unhedged,
 *                │                                       a hedge that failed, a gate that closed
 *                └──────────── quoting ended ◀────────── cancel first
 * ```
 *
 * Quoting ends once, for a reason that is journaled. What its orders left behind is then the ordinary rules' to complete, keep or
 * undo: a fill that comes after the cancel is one of them. The reasons (a test holds this table and the code against each other):
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | quoting | all but dust is filled | FILLED |
 * | quoting | the last quote is over | QUOTES_SPENT |
 * | quoting | a gate refuses, quoting is refused | its reason |
 * | quoting | the hedge is unknown | HEDGE_UNKNOWN |
 * | quoting | the quote is unknown | QUOTE_UNKNOWN |
 * | quoting | the quote is refused for good, the hedge is refused for good, the third quote in a row is refused | REFUSED |
 * | quoting | the hedge is not filled | HEDGE_UNFILLED |
 * | quoting | alone for 1.5 s | UNHEDGED_TOO_LONG |
 * | quoting | quoting for 15 s | MAKER_TIMEOUT |
 * | quoting | the touch is too dear | MAKER_ADVERSE |
 */
import { unhedgedForMs } from './exposure-clock.ts';
import type { LegSide } from './facts.ts';
import { laggingLeg } from './imbalance.ts';
import { isLive, isSettled, isUnresolved } from './order-state.ts';
import type { OrderState } from './order-state.ts';
import type { EntryExecution, Pair, PairCommand, PairStep, PairView, QuoteVerdict, WantedOrder } from './pair.ts';
import {
  failedHedges,
  hedging,
  hopelessRefusal,
  inProgress,
  isQuote,
  nextAttempt,
  openingSide,
  otherLeg,
  send,
} from './pair-orders.ts';

type MakerEntry = Extract<EntryExecution, { mode: 'maker-taker' }>;

/** The venue refused to rest an order so often in a row: the market is not one to quote. */
const REFUSALS_MAX = 3;
/** The one reason after which what is missing may be taken instead: nothing went wrong, nobody came. */
const TIMEOUT = 'MAKER_TIMEOUT';

export interface Making {
  readonly step: PairStep;
  /** Over, and all its orders have settled: the ordinary rules go on from the step's pair. */
  readonly isOver: boolean;
}

/** Returns what the quoting asks for now. An entry in another mode has none. */
export function advanceMaking(pair: Pair, view: PairView): Making {
  const { entry } = pair.record;
  if (entry?.mode !== 'maker-taker') return { step: { pair, commands: [] }, isOver: true };
  const quotes = view[entry.leg].orders.filter(isQuote);
  const resting = quotes.find((order) => !isSettled(order));
  const market = view.judgeQuote(entry.leg, resting?.planned.limitTicks);
  const ended = entry.ended === '' ? endOfQuoting(pair, entry, quotes, market, view) : entry.ended;
  const noted = ended === entry.ended ? pair : withEntry(pair, { ...entry, ended });

  const hedge = hedgeOf(noted, entry.leg, view);
  if (resting === undefined && ended !== '' && hedge === undefined)
    return { step: { pair: noted, commands: [] }, isOver: true };
  const isCancelDue =
    ended !== '' || (resting !== undefined && mustRequote(noted, resting, quotes.length, market, view));
  const cancels: readonly PairCommand[] =
    resting !== undefined && isCancelDue && isLive(resting) && !resting.cancelRequested
      ? [{ type: 'cancel', leg: entry.leg, clientOrderId: resting.planned.clientOrderId }]
      : [];
  const quote =
    resting === undefined && ended === '' && market !== undefined ? quoteOf(noted, entry.leg, quotes, view) : undefined;
  const orders = [hedge, quote].filter((order) => order !== undefined);
  const step: PairStep = orders.length === 0 ? { pair: noted, commands: [] } : send(noted, view, orders);
  return { step: { pair: step.pair, commands: [...cancels, ...step.commands] }, isOver: false };
}

/** The post-only order of `lots` at the touch. */
export function quoting(leg: LegSide, lots: number, attempt: number): WantedOrder {
  return {
    leg,
    side: openingSide(leg),
    lots,
    purpose: 'open',
    attempt,
    reduceOnly: false,
    price: { rule: 'touch' },
  };
}

/** True when what was not filled may be taken on both venues: time ran out, and for no other reason. */
export function mayEscalate(pair: Pair): boolean {
  const { entry } = pair.record;
  return entry?.mode === 'maker-taker' && entry.escalate && entry.ended === TIMEOUT;
}

/** Quoting is over for a reason from outside; other entries stay as they are. */
export function endQuoting(pair: Pair, reason: string): Pair {
  const { entry } = pair.record;
  return entry?.mode === 'maker-taker' && entry.ended === '' ? withEntry(pair, { ...entry, ended: reason }) : pair;
}

function withEntry(pair: Pair, entry: EntryExecution): Pair {
  return { ...pair, record: { ...pair.record, revision: pair.record.revision + 1, entry } };
}

function endOfQuoting(
  pair: Pair,
  { leg }: MakerEntry,
  quotes: readonly OrderState[],
  market: QuoteVerdict | undefined,
  view: PairView,
): string {
  const { maker, hedge } = view.policy;
  const hedgeLeg = view[otherLeg(leg)];
  const missing = pair.record[leg].lots - filledOf(quotes);
  if (missing < view[leg].minLots) return 'FILLED';
  if (quotes.length >= maker.maxQuotes && quotes.every(isSettled)) return 'QUOTES_SPENT';
  const refused = view.increaseRefused ?? view.quotingRefused;
  if (refused !== undefined) return refused;
  // Nothing may add exposure while nobody knows what became of another order of the pair.
  if (hedgeLeg.orders.some(isUnresolved)) return 'HEDGE_UNKNOWN';
  if (quotes.some(isUnresolved)) return 'QUOTE_UNKNOWN';
  const hopeless = hopelessRefusal(hedgeLeg) ?? refusedForGood(quotes);
  if (hopeless !== undefined) return hopeless;
  // A hedge that fails says that the plan's price is gone: what rests would be filled at it all the same.
  if (failedHedges(hedgeLeg) > 0 && !inProgress(hedgeLeg)) return 'HEDGE_UNFILLED';
  if (unhedgedForMs(pair.timing.exposure, view.monotonicMs) >= hedge.maxUnhedgedMs) return 'UNHEDGED_TOO_LONG';
  if (view.monotonicMs - pair.timing.phaseSinceMs >= maker.timeoutMs) return TIMEOUT;
  if (market !== undefined && market.touchAdverseBps > maker.maxAdverseBps) return 'MAKER_ADVERSE';
  return '';
}

function refusedForGood(quotes: readonly OrderState[]): string | undefined {
  const last = quotes.at(-1);
  if (last?.status !== 'REJECTED') return undefined;
  if (last.refusal === 'permanent') return `REFUSED: ${last.code}`;
  const inRow = quotes.length - 1 - quotes.findLastIndex((order) => order.status !== 'REJECTED');
  return inRow >= REFUSALS_MAX ? `REFUSED: ${last.code}` : undefined;
}

/** All that is filled and can be ordered, unless an attempt is under way or its pause is. */
function hedgeOf(pair: Pair, maker: LegSide, view: PairView): WantedOrder | undefined {
  const leg = otherLeg(maker);
  const side = view[leg];
  const lagging = laggingLeg(view);
  if (lagging.leg !== leg || lagging.lots < side.minLots || inProgress(side)) return undefined;
  if (!side.reachable || side.increaseRefused !== undefined || hopelessRefusal(side) !== undefined) return undefined;
  const failed = failedHedges(side);
  if (failed >= view.policy.hedge.maxAttempts) return undefined;
  const sinceSendMs = view.monotonicMs - pair.timing.lastSendAtMs[leg];
  if (failed > 0 && sinceSendMs < side.attemptMs) return undefined;
  return hedging(leg, lagging.lots, view);
}

/** A price that has become too dear is left at once, one that the market has left after a pause. */
function mustRequote(
  pair: Pair,
  resting: OrderState,
  quotes: number,
  market: QuoteVerdict | undefined,
  view: PairView,
): boolean {
  const { maker } = view.policy;
  if (market === undefined || resting.status !== 'OPEN') return false;
  if (market.restingAdverseBps > maker.maxAdverseBps) return true;
  const { side, limitTicks, leg } = resting.planned;
  const isBehind = side === 'buy' ? limitTicks < market.touchTicks : limitTicks > market.touchTicks;
  const isPaced = view.monotonicMs - pair.timing.lastSendAtMs[leg] >= maker.requoteMs;
  return isBehind && isPaced && quotes < maker.maxQuotes;
}

/** What is still missing, at the touch. */
function quoteOf(pair: Pair, leg: LegSide, quotes: readonly OrderState[], view: PairView): WantedOrder | undefined {
  const isRefused = quotes.at(-1)?.status === 'REJECTED';
  if (isRefused && view.monotonicMs - pair.timing.lastSendAtMs[leg] < view[leg].attemptMs) return undefined;
  return quoting(leg, pair.record[leg].lots - filledOf(quotes), nextAttempt(view[leg]));
}

function filledOf(quotes: readonly OrderState[]): number {
  return quotes.reduce((sum, order) => sum + order.filledLots, 0);
}
