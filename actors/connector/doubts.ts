/**
 * What the venue said that cannot be: not used, told by name, and no entries on this account until the venue says something possible
 * about the same thing. Positions can still be closed meanwhile. Connector thread.
 */
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** The kinds, as they are counted: `bad-values:BALANCE` and so on. */
export type DoubtKind =
  'ANSWER' | 'BALANCE' | 'FEE' | 'FEE_TIER' | 'FILL_PRICE' | 'FRAMES' | 'FUNDING_RATE' | 'MARK' | 'POSITION';

/** Unreadable frames within a minute that make a stream untrusted, and how long that lasts after the last, ms. */
const FRAMES_MAX = 10;
const FRAMES_WINDOW_MS = 60_000;
/** Things in doubt at once; beyond it they are counted, and the account is untrusted anyway. */
const DOUBTS_MAX = 256;

/** Takes notice; `about` names the thing within its kind, for example the symbol. `value` is quoted in the event. */
export function doubt(
  state: ConnectorState,
  self: ConnectorSelf,
  kind: DoubtKind,
  about: string,
  rule: string,
  value: string,
): void {
  self.count(`bad-values:${kind}`);
  const key = keyOf(kind, about);
  const reason = `BAD_VALUE: ${key} ${rule}, was ${value.slice(0, 80)}`;
  const isNew = !state.doubts.has(key);
  if (!isNew || state.doubts.size < DOUBTS_MAX) state.doubts.set(key, reason);
  const { venue, account } = state.args;
  // Once for as long as it lasts: a stream repeats itself many times a second.
  if (isNew) self.log('error', 'bad-value', { venue, account, kind, about, rule, value: value.slice(0, 200) });
}

/** The venue said something possible about it. */
export function settle(state: ConnectorState, self: ConnectorSelf, kind: DoubtKind, about: string): void {
  if (!state.doubts.delete(keyOf(kind, about))) return;
  self.log('info', 'bad-value-over', { venue: state.args.venue, account: state.args.account, kind, about });
}

/** Why nothing may be entered here, or undefined. */
export function firstDoubt(state: ConnectorState): string | undefined {
  const [first] = state.doubts.values();
  return first;
}

/** A frame could not be read. One is an accident; many are a stream whose silence about the rest proves nothing. */
export function unreadableFrame(state: ConnectorState, self: ConnectorSelf, detail: string): void {
  const now = self.monotonicMs();
  state.unreadableAtMs = [...state.unreadableAtMs.filter((atMs) => now - atMs < FRAMES_WINDOW_MS), now];
  if (state.unreadableAtMs.length >= FRAMES_MAX)
    doubt(state, self, 'FRAMES', 'stream', `must have fewer than ${FRAMES_MAX} unreadable frames a minute`, detail);
}

/** Called every tick. */
export function ageDoubts(state: ConnectorState, self: ConnectorSelf): void {
  const last = state.unreadableAtMs.at(-1);
  if (last === undefined || self.monotonicMs() - last < FRAMES_WINDOW_MS) return;
  state.unreadableAtMs = [];
  settle(state, self, 'FRAMES', 'stream');
}

function keyOf(kind: DoubtKind, about: string): string {
  return `${kind} ${about}`;
}
