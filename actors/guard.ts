/**
 * The guard: holds the engine's state, makes it durable, and takes it down by itself when losses or failures say so. Trading
 * thread. Going down takes effect at once and is written meanwhile; going up takes effect once it is written.
 */
import { refOf, unreachable } from '../src/runtime/actor.ts';
import type { ActorKind, ActorRef, Self } from '../src/runtime/actor.ts';
import {
  brokenLossLimit,
  emptyLossWatch,
  goesUp,
  killed,
  observeResult,
  startedFrom,
} from '../src/risk/engine-state.ts';
import type { Engine, KillLevel, LossLimits, LossWatch } from '../src/risk/engine-state.ts';
import { emptyExposureDay, observeExposureDay, spentExposureBudget } from '../src/risk/exposure-budget.ts';
import type { ExposureDay } from '../src/risk/exposure-budget.ts';
import { addIncident } from '../src/risk/incidents.ts';
import type { IncidentKind, Incidents } from '../src/risk/incidents.ts';
import { rowsOfPage } from '../src/storage/row-page.ts';
import type { JournalRow } from '../src/storage/rows.ts';
import { isNewCrash, watchActors } from './guard/crashes.ts';
import type { CrashWatch } from './guard/crashes.ts';
import { byLiquidationDistance } from './guard/flatten-order.ts';
import { engineOf, exposureOf, lossesOf, rowPayload } from './guard/rows.ts';
import { newWire, repeatWire, tellRecipients, tellWire } from './guard/wire.ts';
import type { Wire } from './guard/wire.ts';
import { guardDelivery } from './guard-messages.ts';
import type { EngineState, EngineStateChanged, GuardMessage } from './guard-messages.ts';
import { journalReplyDelivery } from './journal-messages.ts';
import type { JournalMessage, RowsRead } from './journal-messages.ts';
import { positionDelivery } from './position-messages.ts';
import type { PairChanged } from './position-messages.ts';

export interface GuardArgs {
  readonly limits: LossLimits & {
    readonly maxConsecutiveLosses: number;
    /** Unhedged notional times time of all pairs in one UTC day. */
    readonly maxExposureQuoteSec: number;
    /** Monotonic ms. */
    readonly entryPauseMs: number;
  };
  /** After recovery go to TRADING without an operator. */
  readonly resumeTrading: boolean;
  /** Every base whose position actor must have recovered before the engine leaves STOPPED. */
  readonly bases: readonly string[];
  readonly journalPath: string;
  /** Told every change: strategy, positions, observer. */
  readonly recipientPaths: readonly string[];
  /** Told first, and past their queues, which orders may leave. */
  readonly connectorPaths?: readonly string[];
  /** Crashing again and again, these take the engine down. */
  readonly watchedPaths?: readonly string[];
}

interface GuardState {
  readonly args: GuardArgs;
  engine: Engine;
  /** What the journal says was last in force; read before anything else is decided. */
  durable: Engine | undefined;
  rowsRead: boolean;
  recovered: boolean;
  lastReadAtMs: number;
  readAfterSequence: number;
  losses: LossWatch;
  exposure: ExposureDay;
  /** The day's exposure and the best result as they were last written. */
  exposureWritten: number;
  peakWrittenMicro: bigint;
  readonly pairs: Map<string, PairChanged>;
  /** Value of each open pair when last known, micro-units. */
  readonly openValues: Map<string, bigint>;
  /** Monotonic ms; undefined while entries are not paused. */
  pausedUntilMs: number | undefined;
  incidents: Incidents;
  readonly crashes: CrashWatch;
  lastAppendId: number;
  readonly appends: Map<number, Append>;
  readonly wire: Wire;
  /** Connectors that are gone (K4), with the orders still open there by the venue's last word. */
  readonly left: Map<string, number | undefined>;
}

interface Append {
  readonly message: Extract<JournalMessage, { type: 'append-rows' }>;
  /** Takes effect once the row is durable; undefined when it took effect already. */
  readonly raisesTo: Engine | undefined;
  sentAtMs: number;
}

type GuardSelf = Self<GuardMessage>;

const TICK_MS = 500;
/** The day's exposure is written whenever this part of its budget was used. */
const EXPOSURE_ROWS_PER_DAY = 20;
/** The best result is written whenever it rose by this part of the drawdown limit: a restart forgets no more of it. */
const PEAK_ROWS_PER_LIMIT = 20n;
const JOURNAL_REPEAT_MS = 2_000;
const READ_LIMIT = 500;
/** Unwritten changes beyond this mean that the store is gone; the engine is down by then. */
const APPENDS_MAX = 64;

export const guard: ActorKind<GuardArgs, GuardState, GuardMessage> = {
  kind: 'guard',
  delivery: {
    ...guardDelivery,
    ...journalReplyDelivery,
    'pair-changed': positionDelivery['pair-changed'],
  },

  start(args, self) {
    const state: GuardState = {
      args,
      engine: { state: 'STOPPED', reason: 'starting', flatten: false },
      durable: undefined,
      rowsRead: false,
      recovered: false,
      lastReadAtMs: 0,
      readAfterSequence: 0,
      losses: emptyLossWatch,
      exposure: emptyExposureDay,
      exposureWritten: 0,
      peakWrittenMicro: 0n,
      pairs: new Map(),
      openValues: new Map(),
      pausedUntilMs: undefined,
      incidents: {},
      crashes: { lastDown: new Map(), watchedAtMs: Number.NEGATIVE_INFINITY },
      lastAppendId: 0,
      appends: new Map(),
      wire: newWire(),
      left: new Map(),
    };
    readRows(state, self);
    tellEngine(state, self);
    self.after(TICK_MS, { type: 'guard-tick' });
    return state;
  },

  receive(state, message, self) {
    switch (message.type) {
      case 'set-engine-state':
        setByOperator(state, self, message.state, message.reason);
        return state;
      case 'kill':
        kill(state, self, message.level, `K${message.level}: ${message.reason}`);
        return state;
      case 'stand-down':
        if (state.engine.state === 'TRADING')
          takeDown(state, self, { state: 'ARMED', reason: message.reason, flatten: false });
        return state;
      case 'resend-engine-state':
        resend(state, self, message.to);
        return state;
      case 'repeat-limit-orders':
        repeatWire(state.wire, self, state.engine, engineStateChanged(state));
        return state;
      case 'connector-left':
        state.left.set(message.path, message.openOrders);
        return state;
      case 'guard-row-durable':
        settleAppend(state, self, message.appendId);
        return state;
      case 'append-failed':
        failAppend(state, self, message.appendId, message.detail);
        return state;
      case 'rows-read':
        takeRows(state, self, message);
        return state;
      case 'pair-changed':
        takePair(state, self, message);
        return state;
      case 'journal-slow':
        noteIncident(state, self, 'journal-slow', `${message.commitMs} ms`);
        return state;
      case 'position-mismatch': {
        const { venue, account, symbol, reportedLots, ledgerLots, ageMs } = message;
        const said = `${venue}:${account} must hold the ${ledgerLots} lots of ${symbol} that our fills add up to, says ${reportedLots}`;
        kill(state, self, 2, `K2: MISMATCH: ${said} for ${Math.round(ageMs / 1_000)} s`);
        return state;
      }
      case 'actor-down':
        if (isNewCrash(state.crashes, self, message))
          noteIncident(state, self, 'actor-crashed', `${message.path}: ${message.reason}`);
        return state;
      case 'order-lost':
        noteIncident(state, self, 'order-lost', `${message.venue} ${message.clientOrderId}`);
        return state;
      case 'guard-tick':
        tick(state, self);
        return state;
      default:
        return unreachable(message);
    }
  },

  digest: (state) => ({
    ...state.engine,
    recovered: state.recovered,
    lossesInARow: state.losses.lossesInARow,
    exposureQuoteSecToday: Math.round(state.exposure.quoteSec),
    connectorsLeft: [...state.left].map(([path, openOrders]) => ({ path, openOrders: openOrders ?? 'unknown' })),
  }),
};

function setByOperator(state: GuardState, self: GuardSelf, wanted: EngineState, reason: string): void {
  const next: Engine = { state: wanted, reason, flatten: wanted === 'HALTED' && state.engine.flatten };
  if (state.engine.leaving === true) {
    self.log('warn', 'engine-state-refused', { wanted, rule: 'K4 ends with the process: start it again' });
    self.count('engine-state-refused');
    return;
  }
  if (!goesUp(state.engine, next)) {
    takeDown(state, self, next);
    return;
  }
  if (!state.recovered || reason.trim() === '') {
    const rule = state.recovered ? 'going up needs a reason' : 'going up needs every position recovered';
    self.log('warn', 'engine-state-refused', { wanted, rule });
    self.count('engine-state-refused');
    return;
  }
  // An acknowledged limit starts over, else it would take the engine down again at the next message.
  state.losses = { ...state.losses, dayStartMicro: result(state), peakMicro: result(state), lossesInARow: 0 };
  if (spentExposureBudget(state.exposure, state.args.limits.maxExposureQuoteSec) !== undefined)
    state.exposure = { ...state.exposure, quoteSec: 0 };
  appendEngine(state, self, next, next);
}

/** From K2 on, what would open is cancelled at the venues too; asked for again, it is done again. */
function kill(state: GuardState, self: GuardSelf, level: KillLevel, reason: string): void {
  const before = state.engine;
  if (level >= 2) state.wire.cancelsOpens = true;
  takeDown(state, self, killed(before, level, reason));
  if (level >= 2 && state.engine === before) tellWire(state.wire, self, state.args.connectorPaths ?? [], state.engine);
}

/** Takes effect now; the row follows. A state that is in force already is neither told nor written again. */
function takeDown(state: GuardState, self: GuardSelf, next: Engine): void {
  const { engine } = state;
  if (next.state === engine.state && next.flatten === engine.flatten && next.leaving === engine.leaving) return;
  dropPendingRises(state);
  setEngine(state, self, next);
  self.count(`taken-down:${codeOf(next.reason)}`);
  appendEngine(state, self, next, undefined);
}

/** The rule's name in a reason such as `K2: MISMATCH: ...`; a person's words have none. */
function codeOf(reason: string): string {
  return /^(?:K\d: )?([A-Z][A-Z_]+):/.exec(reason)?.[1] ?? 'OPERATOR';
}

/** A rise that is not durable yet was decided before what takes the engine down now. */
function dropPendingRises(state: GuardState): void {
  for (const [appendId, append] of state.appends) {
    if (append.raisesTo !== undefined) state.appends.set(appendId, { ...append, raisesTo: undefined });
  }
}

function setEngine(state: GuardState, self: GuardSelf, next: Engine): void {
  state.engine = next;
  if (next.state === 'HALTED') state.wire.cancelsOpens = true;
  if (next.state === 'ARMED' || next.state === 'TRADING') state.wire.cancelsOpens = false;
  self.log('info', 'engine-state-changed', { state: next.state, reason: next.reason, flatten: next.flatten });
  tellEngine(state, self);
}

/** The wire first: what a position still plans is refused there. */
function tellEngine(state: GuardState, self: GuardSelf): void {
  tellWire(state.wire, self, state.args.connectorPaths ?? [], state.engine);
  const message = engineStateChanged(state);
  const paths = byLiquidationDistance(state.args.recipientPaths, state.pairs, state.engine);
  tellRecipients(state.wire, self, paths, message);
}

/** A new incarnation asks. */
function resend(state: GuardState, self: GuardSelf, to: string): void {
  if (state.args.connectorPaths?.includes(to) === true) tellWire(state.wire, self, [to], state.engine);
  else tellRecipients(state.wire, self, [to], engineStateChanged(state));
}

function engineStateChanged(state: GuardState): EngineStateChanged {
  return {
    type: 'engine-state-changed',
    ...state.engine,
    ...(state.pausedUntilMs === undefined ? {} : { entriesPaused: true }),
  };
}

function appendEngine(state: GuardState, self: GuardSelf, engine: Engine, raisesTo: Engine | undefined): void {
  if (state.appends.size >= APPENDS_MAX) {
    self.count('engine-rows-dropped');
    return;
  }
  state.exposureWritten = state.exposure.quoteSec;
  state.peakWrittenMicro = state.losses.peakMicro;
  state.lastAppendId += 1;
  const appendId = state.lastAppendId;
  const row: JournalRow = {
    id: `engine-state:${self.nowMs()}:${self.incarnation}:${appendId}`,
    type: 'engine-state',
    atMs: self.nowMs(),
    actor: self.path,
    correlation: '',
    payload: rowPayload(engine, state.losses, state.exposure),
  };
  const receipt: GuardMessage = { type: 'guard-row-durable', appendId };
  const message: Append['message'] = {
    type: 'append-rows',
    rows: [row],
    whenDurable: [{ to: self.ref, message: receipt }],
    sender: self.ref,
    appendId,
  };
  state.appends.set(appendId, { message, raisesTo, sentAtMs: self.monotonicMs() });
  self.tell(journal(state), message);
}

function settleAppend(state: GuardState, self: GuardSelf, appendId: number): void {
  const append = state.appends.get(appendId);
  state.appends.delete(appendId);
  if (append?.raisesTo !== undefined) setEngine(state, self, append.raisesTo);
}

/** No durable intent, no order: a journal that refuses takes the engine down (K2). */
function failAppend(state: GuardState, self: GuardSelf, appendId: number, detail: string): void {
  const append = state.appends.get(appendId);
  if (append === undefined) return;
  // The row stays queued for the tick to repeat, but what it would have raised is off.
  state.appends.set(appendId, { ...append, raisesTo: undefined });
  kill(state, self, 2, `K2: JOURNAL_FAILED: ${detail}`);
}

const CODE_OF_INCIDENT: Readonly<Record<IncidentKind, string>> = {
  'journal-slow': 'JOURNAL_SLOW',
  'order-lost': 'ORDERS_LOST',
  'actor-crashed': 'CRASH_LOOP',
};

/** Once is a hiccup; again and again what cannot be written or found must not be begun (K2). */
function noteIncident(state: GuardState, self: GuardSelf, kind: IncidentKind, detail: string): void {
  const noted = addIncident(state.incidents, kind, self.monotonicMs());
  state.incidents = noted.incidents;
  self.log('warn', `${kind}-noted`, { detail, times: noted.count });
  if (noted.isTooMany) kill(state, self, 2, `K2: ${CODE_OF_INCIDENT[kind]}: ${noted.count} times, last ${detail}`);
}

function readRows(state: GuardState, self: GuardSelf): void {
  state.lastReadAtMs = self.monotonicMs();
  self.tell(journal(state), {
    type: 'read-rows',
    query: { type: 'by-type', rowType: 'engine-state', afterSequence: state.readAfterSequence, limit: READ_LIMIT },
    replyTo: self.ref,
    readId: state.readAfterSequence,
  });
}

function takeRows(state: GuardState, self: GuardSelf, message: RowsRead): void {
  // An answer to a repeated question comes twice: the second begins where the first already went past.
  if (state.rowsRead || message.readId !== state.readAfterSequence) return;
  for (const row of rowsOfPage(message.page)) {
    state.durable = engineOf(row) ?? state.durable;
    state.losses = lossesOf(row) ?? state.losses;
    state.exposure = exposureOf(row) ?? state.exposure;
    state.peakWrittenMicro = state.losses.peakMicro;
    state.readAfterSequence = row.sequence ?? state.readAfterSequence;
  }
  if (message.complete) {
    state.rowsRead = true;
    finishRecovery(state, self);
  } else {
    readRows(state, self);
  }
}

/** Leaves STOPPED once the journal was read and every position knows where it stands. */
function finishRecovery(state: GuardState, self: GuardSelf): void {
  if (state.recovered || !state.rowsRead) return;
  const kept = startedFrom(state.durable, false);
  // A kill in force must reach the positions before they have recovered.
  if (kept.state !== 'ARMED' && (state.engine.state === 'STOPPED' || goesUp(kept, state.engine))) {
    // Which level it was is not written: cancelling what may still rest from before is safe at any.
    state.wire.cancelsOpens = true;
    setEngine(state, self, kept);
  }
  if (state.args.bases.some((base) => (state.pairs.get(base)?.phase ?? 'RECOVERING') === 'RECOVERING')) return;

  state.recovered = true;
  watchLosses(state, self);
  if (state.engine.state !== 'STOPPED') return;
  const next = startedFrom(state.durable, state.args.resumeTrading);
  appendEngine(state, self, next, next);
}

function takePair(state: GuardState, self: GuardSelf, told: PairChanged): void {
  const before = state.pairs.get(told.base);
  if (before === undefined && !state.args.bases.includes(told.base)) return;
  // One that starts again has not read its books yet: its zeros are no loss of what was earned.
  const pair: PairChanged =
    told.phase === 'RECOVERING' && before !== undefined ? { ...before, phase: 'RECOVERING' } : told;
  state.pairs.set(pair.base, pair);
  watchExposure(state, self, pair);
  rememberValue(state, pair);
  if (before !== undefined && before.phase !== 'RECOVERING') countOutcome(state, self, before, pair);
  finishRecovery(state, self);
  if (state.recovered) watchLosses(state, self);
}

/** The budget spent, nothing is opened any more. Written as it grows, so that a restart does not hand it out again. */
function watchExposure(state: GuardState, self: GuardSelf, pair: PairChanged): void {
  if (pair.phase === 'RECOVERING' || !state.rowsRead) return;
  const { maxExposureQuoteSec } = state.args.limits;
  const day = state.exposure.day;
  state.exposure = observeExposureDay(state.exposure, pair, self.nowMs());
  if (state.exposure.day !== day) state.exposureWritten = 0;
  const spent = spentExposureBudget(state.exposure, maxExposureQuoteSec);
  if (spent !== undefined) {
    // What is lower already stays; nothing is written or told again.
    kill(state, self, 1, `K1: ${spent}`);
  } else if (
    state.recovered &&
    state.exposure.quoteSec - state.exposureWritten >= maxExposureQuoteSec / EXPOSURE_ROWS_PER_DAY
  ) {
    appendEngine(state, self, state.engine, undefined);
  }
}

/** An open pair without a price keeps its last value: a missing book must not look like a gain or a loss. */
function rememberValue(state: GuardState, pair: PairChanged): void {
  const open = pair.phase !== 'IDLE' && pair.phase !== 'CLOSED' && pair.phase !== 'FAILED';
  if (!open) state.openValues.delete(pair.base);
  else if (pair.executableMicro !== undefined) state.openValues.set(pair.base, pair.executableMicro);
}

function countOutcome(state: GuardState, self: GuardSelf, before: PairChanged, pair: PairChanged): void {
  const ended = pair.phase === 'CLOSED' || pair.phase === 'FAILED';
  if (!ended || (before.phase === pair.phase && before.pairId === pair.pairId)) return;
  const net = pair.realisedMicro + pair.fundingMicro + pair.feesMicro;
  const lost = pair.phase === 'FAILED' || net < 0n;
  state.losses = { ...state.losses, lossesInARow: lost ? state.losses.lossesInARow + 1 : 0 };
  if (state.losses.lossesInARow < state.args.limits.maxConsecutiveLosses) return;
  state.losses = { ...state.losses, lossesInARow: 0 };
  state.pausedUntilMs = self.monotonicMs() + state.args.limits.entryPauseMs;
  self.log('warn', 'entries-paused', {
    losses: state.args.limits.maxConsecutiveLosses,
    ms: state.args.limits.entryPauseMs,
  });
  tellEngine(state, self);
}

function watchLosses(state: GuardState, self: GuardSelf): void {
  const now = result(state);
  const dayBefore = state.losses.day;
  // The very first look has no past to compare with: it is where the best result stands.
  const watch = dayBefore === 0 ? { ...state.losses, peakMicro: now } : state.losses;
  state.losses = observeResult(watch, now, self.nowMs());
  const broken = brokenLossLimit(state.losses, now, state.args.limits);
  const lost = Math.max(0, Number(state.losses.dayStartMicro - now));
  self.metrics.gauge('daily_loss_ratio').set(lost / Number(state.args.limits.dailyLossMicro));
  if (broken !== undefined) takeDown(state, self, killed(state.engine, 3, broken));
  else if ((state.losses.day !== dayBefore && dayBefore !== 0) || isPeakUnwritten(state))
    appendEngine(state, self, state.engine, undefined);
}

function isPeakUnwritten({ losses, peakWrittenMicro, args }: GuardState): boolean {
  return (losses.peakMicro - peakWrittenMicro) * PEAK_ROWS_PER_LIMIT >= args.limits.maxDrawdownMicro;
}

/** Realised and unrealised result of all pairs since the journal began, micro-units. */
function result(state: GuardState): bigint {
  let sum = 0n;
  for (const pair of state.pairs.values()) sum += pair.closedNetMicro;
  for (const value of state.openValues.values()) sum += value;
  return sum;
}

function tick(state: GuardState, self: GuardSelf): void {
  const now = self.monotonicMs();
  self.after(TICK_MS, { type: 'guard-tick' });
  if (!state.rowsRead && now - state.lastReadAtMs >= JOURNAL_REPEAT_MS) readRows(state, self);
  for (const append of state.appends.values()) {
    if (now - append.sentAtMs < JOURNAL_REPEAT_MS) continue;
    append.sentAtMs = now;
    self.tell(journal(state), append.message);
  }
  if (state.pausedUntilMs !== undefined && now >= state.pausedUntilMs) {
    state.pausedUntilMs = undefined;
    tellEngine(state, self);
  }
  if (state.recovered) watchLosses(state, self);
  watchActors(state.crashes, self, state.args.watchedPaths ?? []);
}

function journal(state: GuardState): ActorRef<JournalMessage> {
  return refOf<JournalMessage>(state.args.journalPath);
}
