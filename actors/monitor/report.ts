/** What the monitor does with a breach: names it once it lasts, counts it, and has the guard take the engine down. It corrects nothing. */
import { refOf } from '../../src/runtime/actor.ts';
import type { BrokenIdentity } from '../../src/execution/identities.ts';
import type { GuardMessage } from '../guard-messages.ts';
import type { BrokenReport, IdentitiesChecked } from '../monitor-messages.ts';
import type { MonitorSelf, MonitorState, Watched } from './state.ts';
import { walletReports } from './wallet.ts';

/** Breaches listed at once; the count says how many there are. */
const REPORTS_MAX = 50;

/**
 * Takes the outcome of one comparison. `scope` names what was compared: what it complained of before and does not now holds again.
 * A breach that lasted `patienceMs` is broken.
 */
export function judged(
  state: MonitorState,
  self: MonitorSelf,
  scope: string,
  breaches: readonly BrokenIdentity[],
  patienceMs: number,
): void {
  state.comparisons += 1;
  const before = state.watched.get(scope);
  if (breaches.length === 0) {
    if (before !== undefined) state.watched.delete(scope);
    return;
  }
  const now = self.monotonicMs();
  const watched = new Map<string, Watched>();
  for (const breach of breaches) {
    const key = `${breach.identity} ${breach.subject}`;
    const known = before?.get(key);
    const entry: Watched = {
      ...breach,
      sinceMs: known?.sinceMs ?? now,
      toldAtMs: known?.toldAtMs,
      isAcknowledged: known?.isAcknowledged ?? false,
    };
    watched.set(key, entry);
    if (entry.toldAtMs === undefined && now - entry.sinceMs >= patienceMs) broken(state, self, entry);
  }
  state.watched.set(scope, watched);
}

/** A rule broken by a row: it stays broken, whatever comes later. */
export function brokenByRow(state: MonitorState, self: MonitorSelf, breach: BrokenIdentity): void {
  const scope = `row ${breach.identity} ${breach.subject}`;
  const entry: Watched = { ...breach, sinceMs: self.monotonicMs(), toldAtMs: undefined, isAcknowledged: false };
  state.watched.set(scope, new Map([[scope, entry]]));
  // While the past is read it is not known yet whether a person has dealt with it.
  if (state.isCaughtUp) broken(state, self, entry);
}

/** A person let the engine trade after these rows were written: what they break is known. */
export function acknowledgeRows(state: MonitorState): void {
  for (const entries of state.watched.values())
    for (const entry of entries.values()) if (entry.toldAtMs === undefined) entry.isAcknowledged = true;
}

/** The past has been read: what it holds that nobody has dealt with is told now. */
export function tellPast(state: MonitorState, self: MonitorSelf): void {
  for (const entries of state.watched.values())
    for (const entry of entries.values())
      if (entry.toldAtMs === undefined && !entry.isAcknowledged) broken(state, self, entry);
}

function broken(state: MonitorState, self: MonitorSelf, entry: Watched): void {
  const { identity, subject, expected, got } = entry;
  entry.toldAtMs = self.nowMs();
  self.count('identities-broken');
  self.log('error', 'identity-broken', { identity, subject, expected, got });
  state.toldAtMs = Number.NEGATIVE_INFINITY;
  // Money that came from nowhere is most likely a deposit: it is told, and takes nothing down.
  if (identity === 'WALLET_CHANGE' && !got.startsWith('-')) return;
  state.killReason = `IDENTITY_BROKEN: ${identity} ${subject}: expected ${expected}, got ${got}`;
  tellGuard(state, self);
}

/** Has the guard reduce only (K2); repeated until the guard took it. */
export function tellGuard(state: MonitorState, self: MonitorSelf): void {
  if (state.killReason === undefined) return;
  const kill: GuardMessage = { type: 'kill', level: 2, reason: state.killReason };
  const outcome = self.tell(refOf<GuardMessage>(state.args.guardPath), kill);
  if (outcome === 'sent' || outcome === 'merged') state.killReason = undefined;
}

/** How the books stand now. */
export function reportOf(state: MonitorState): IdentitiesChecked {
  return {
    type: 'identities-checked',
    rows: state.sequence,
    isCaughtUp: state.isCaughtUp,
    comparisons: state.comparisons,
    broken: brokenReports(state),
    wallets: walletReports(state),
    closedPairs: [...state.closedPairs.values()],
  };
}

function brokenReports(state: MonitorState): readonly BrokenReport[] {
  const reports: BrokenReport[] = [];
  for (const entries of state.watched.values()) {
    for (const { identity, subject, expected, got, toldAtMs, isAcknowledged } of entries.values()) {
      if (toldAtMs === undefined && !isAcknowledged) continue;
      reports.push({ identity, subject, expected, got, atMs: toldAtMs ?? 0, isAcknowledged });
    }
  }
  return reports.slice(-REPORTS_MAX);
}
