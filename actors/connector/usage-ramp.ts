/**
 * How much of a venue's limits is used by choice: little at first, more with every clean day, less after a refusal. Each step is
 * written to the journal, so that a restart goes on where the life before was. Connector thread.
 */
import { refOf } from '../../src/runtime/actor.ts';
import { rowsOfPage } from '../../src/storage/row-page.ts';
import type { JournalRow } from '../../src/storage/rows.ts';
import { USABLE_SHARE } from '../../src/venues/rate-limiter.ts';
import type { JournalMessage, RowsRead } from '../journal-messages.ts';
import { appendRow } from './facts.ts';
import { limitersOf } from './state.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

export interface UsageRampPolicy {
  /** Share of a limit used by choice on the first day, and what every clean day adds. */
  readonly startShare: number;
  readonly stepShare: number;
  /** Calendar ms without a refusal that make a step. */
  readonly stepMs: number;
}

export interface UsageTrack {
  /** Share of every limit that may be used by choice now, up to half. */
  share: number;
  /** Calendar ms of the last step. */
  sinceMs: number;
  /** The journal has answered, or there is no ramp. */
  isKnown: boolean;
  /** The journal has a row of ours. */
  isWritten: boolean;
  /** Sequence after which to read on, and monotonic ms of the last question. */
  readAfterSequence: number;
  askedAtMs: number;
  /** Monotonic ms of the last step down. */
  refusedAtMs: number;
}

const ASK_AGAIN_MS = 2_000;
const READ_LIMIT = 500;

export function newUsage(policy: UsageRampPolicy | undefined, self: ConnectorSelf): UsageTrack {
  return {
    share: policy?.startShare ?? USABLE_SHARE,
    sinceMs: self.nowMs(),
    isKnown: policy === undefined,
    isWritten: false,
    readAfterSequence: 0,
    askedAtMs: Number.NEGATIVE_INFINITY,
    refusedAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** Begins carefully, whatever an earlier life had come to: that is read first. */
export function beginUsage(state: ConnectorState, self: ConnectorSelf): void {
  apply(state);
  advanceUsage(state, self);
}

/** Reads how far an earlier life had come, then goes up when it is time. Called every tick. */
export function advanceUsage(state: ConnectorState, self: ConnectorSelf): void {
  const { usage } = state;
  const policy = state.args.usageRamp;
  if (policy === undefined) return;
  if (!usage.isKnown) {
    if (self.monotonicMs() - usage.askedAtMs >= ASK_AGAIN_MS) read(state, self);
    return;
  }
  const steps = Math.floor((self.nowMs() - usage.sinceMs) / policy.stepMs);
  if (steps < 1 || usage.share >= USABLE_SHARE) return;
  const share = Math.min(USABLE_SHARE, usage.share + steps * policy.stepShare);
  change(state, self, share, usage.sinceMs + steps * policy.stepMs, 'clean');
}

/** The venue refused for its limit: one step down, and the days of grace begin anew. */
export function stepDown(state: ConnectorState, self: ConnectorSelf): void {
  const policy = state.args.usageRamp;
  if (policy === undefined || !state.usage.isKnown) return;
  const share = Math.max(policy.startShare, state.usage.share - policy.stepShare);
  // A burst of refusals is one: all of it was on its way when the first came.
  if (self.monotonicMs() - state.usage.refusedAtMs < BURST_MS) return;
  state.usage.refusedAtMs = self.monotonicMs();
  change(state, self, share, self.nowMs(), 'refused');
}

const BURST_MS = 1_000;

/** Takes rows of all connectors; the last of our own counts. */
export function usageRead(state: ConnectorState, self: ConnectorSelf, { page, readId, complete }: RowsRead): void {
  const { usage } = state;
  const policy = state.args.usageRamp;
  if (usage.isKnown || policy === undefined || readId !== usage.readAfterSequence) return;
  for (const row of rowsOfPage(page)) {
    usage.readAfterSequence = row.sequence ?? usage.readAfterSequence;
    const { share, sinceMs } = row.payload;
    if (row.actor !== self.path || typeof share !== 'number' || typeof sinceMs !== 'number') continue;
    usage.share = Math.min(USABLE_SHARE, Math.max(policy.startShare, share));
    // A clock that was ahead must not hold the ramp back for ever.
    usage.sinceMs = Math.min(sinceMs, self.nowMs());
    usage.isWritten = true;
  }
  if (!complete) {
    read(state, self);
    return;
  }
  usage.isKnown = true;
  if (usage.isWritten) apply(state);
  else change(state, self, usage.share, usage.sinceMs, 'first');
  advanceUsage(state, self);
}

function read(state: ConnectorState, self: ConnectorSelf): void {
  const { usage } = state;
  usage.askedAtMs = self.monotonicMs();
  const message: JournalMessage = {
    type: 'read-rows',
    query: { type: 'by-type', rowType: 'usage-ramp', afterSequence: usage.readAfterSequence, limit: READ_LIMIT },
    replyTo: self.ref,
    readId: usage.readAfterSequence,
  };
  self.tell(refOf<JournalMessage>(state.args.journalPath), message);
}

function change(state: ConnectorState, self: ConnectorSelf, share: number, sinceMs: number, cause: string): void {
  const { usage } = state;
  const { venue, account } = state.args;
  const before = usage.share;
  usage.share = Math.round(share * 1e6) / 1e6;
  usage.sinceMs = sinceMs;
  apply(state);
  self.log(cause === 'refused' ? 'warn' : 'info', 'usage-ramp', {
    venue,
    account,
    from: before,
    to: usage.share,
    cause,
  });
  const row: JournalRow = {
    id: `usage-ramp:${venue}:${account}:${Math.floor(sinceMs)}:${usage.share}`,
    type: 'usage-ramp',
    atMs: self.nowMs(),
    actor: self.path,
    correlation: '',
    payload: { venue, account, share: usage.share, sinceMs, cause },
  };
  appendRow(state, self, row);
}

function apply(state: ConnectorState): void {
  for (const limiter of limitersOf(state)) limiter.setUsable(state.usage.share);
}
