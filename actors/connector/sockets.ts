/**
 * The connector's sockets: opened as the stream plans, cut when silent, reopened with jittered backoff, control frames paced.
 *
 * A silent socket is cut and stays what it is until its closing is told. All that changes one (a test holds this table and the code
 * against each other):
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | none | planned | opening |
 * | opening | connected | open |
 * | opening, open | closed | waiting |
 * | waiting | its pause is over | opening |
 * | opening, open, waiting | left for good | none |
 */
import type { SocketClosed, SocketFrame } from '../../src/ports/ports.ts';
import type { FrameResult, VenueEvent } from '../../src/venues/venue.ts';
import { certificateRefused } from './access.ts';
import { backoffMs } from './backoff.ts';
import { noteFailure, noteSuccess } from './circuits.ts';
import { forgetFrames, frameAnswered, FRAMES_MAX, queueFrames, releaseFrames, sendText } from './frames.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState, SocketTrack } from './state.ts';

const SILENCE_MS = 10_000;
const REOPEN = { minMs: 250, maxMs: 30_000 } as const;
/** A connection that lasted this long was a good one: the next backoff starts small again. */
const LASTED_MS = 10_000;
/** Orders and cancels in a row without an answer: one may be lost at the venue, two are the connection's fault. */
const UNANSWERED_MAX = 2;

/** Opens the sockets the stream wants and does not have, and cuts those it does not want any more. */
export function openSockets(state: ConnectorState, self: ConnectorSelf): void {
  if (state.leave?.isGone === true) return;
  const plans = state.stream.plan(state.symbols);
  for (const [key, track] of state.sockets) {
    if (plans.some((plan) => plan.key === key)) continue;
    cut(track, self);
    forgetFrames(state, key);
    state.sockets.delete(key);
  }
  for (const plan of plans) {
    if (state.sockets.has(plan.key)) continue;
    const nowMs = self.monotonicMs();
    state.sockets.set(plan.key, {
      plan,
      ref: undefined,
      status: 'waiting',
      lastHeardMs: nowMs,
      openedAtMs: nowMs,
      failures: 0,
      unanswered: 0,
    });
    openSocket(state, self, plan.key);
  }
}

export function openSocket(state: ConnectorState, self: ConnectorSelf, key: string): void {
  const track = state.sockets.get(key);
  if (track === undefined || track.status !== 'waiting' || state.isUntrusted) return;
  const waitMs = hasRoom(state) ? (state.connectLimiter?.acquire(1, 0, self.monotonicMs()) ?? 0) : REOPEN.maxMs;
  if (waitMs > 0) {
    self.count('connects-paced');
    self.after(waitMs, { type: 'reopen-socket', socketKey: key });
    return;
  }
  const ref = self.ports.socket.open(track.plan.url, track.plan.headers, key);
  state.socketKeyByRef.set(ref, key);
  track.ref = ref;
  track.status = 'opening';
  track.lastHeardMs = self.monotonicMs();
}

/** Whether one more connection is within what the venue allows, divided among the accounts of this address. */
function hasRoom({ adapter, args, sockets }: ConnectorState): boolean {
  const { connectionsMax } = adapter.limits;
  if (connectionsMax === undefined) return true;
  const open = [...sockets.values()].filter(({ status }) => status !== 'waiting').length;
  return open < Math.max(1, Math.floor(connectionsMax / (args.addressSharedBy ?? 1)));
}

/** Returns the facts that follow. */
export function socketOpened(state: ConnectorState, self: ConnectorSelf, ref: number): readonly VenueEvent[] {
  const found = find(state, ref);
  if (found === undefined) return [];
  const { key, track } = found;
  track.status = 'open';
  track.openedAtMs = self.monotonicMs();
  track.lastHeardMs = track.openedAtMs;
  track.unanswered = 0;
  return carryOut(state, self, key, state.stream.opened(key, instant(self)));
}

export function socketHeard(state: ConnectorState, self: ConnectorSelf, ref: number): void {
  const found = find(state, ref);
  if (found !== undefined) found.track.lastHeardMs = self.monotonicMs();
}

/** Returns the facts of a frame. Frames of a connection that was given up are nobody's: its successor delivers the truth. */
export function socketFrame(state: ConnectorState, self: ConnectorSelf, frame: SocketFrame): readonly VenueEvent[] {
  const found = find(state, frame.ref);
  if (found === undefined) return [];
  const monotonicMs = frame.receivedAtMonotonicMs;
  found.track.lastHeardMs = monotonicMs;
  const result = state.stream.frame(found.key, frame.text, { calendarMs: self.nowMs(), monotonicMs });
  return carryOut(state, self, found.key, result);
}

/** Returns which socket ended and the facts that follow; undefined when it was given up before. */
export function socketClosed(
  state: ConnectorState,
  self: ConnectorSelf,
  closed: SocketClosed,
): { readonly key: string; readonly events: readonly VenueEvent[] } | undefined {
  const found = find(state, closed.ref);
  state.socketKeyByRef.delete(closed.ref);
  if (found === undefined) return undefined;
  const { key, track } = found;
  const lasted = track.status === 'open' && self.monotonicMs() - track.openedAtMs >= LASTED_MS;
  track.failures = lasted ? 1 : track.failures + 1;
  if (!lasted) noteFailure(state, self, 'ws');
  track.ref = undefined;
  track.status = 'waiting';
  forgetFrames(state, key);
  self.count('sockets-closed');
  const { code, detail, isUntrusted } = closed;
  if (isUntrusted === true) certificateRefused(state, self, detail);
  self.log('warn', 'socket-closed', { venue: state.args.venue, socket: key, code, detail });
  // A venue that drops everybody must not be stormed.
  const delayMs = backoffMs(track.failures, self.random('reconnect').nextFraction(), REOPEN);
  self.after(delayMs, { type: 'reopen-socket', socketKey: key });
  return { key, events: state.stream.closed(key, instant(self)) };
}

/** Cuts sockets that have been silent for too long and lets the stream do its timed work; returns the facts that follow. */
export function tickSockets(state: ConnectorState, self: ConnectorSelf): readonly VenueEvent[] {
  const now = self.monotonicMs();
  for (const [key, track] of state.sockets) {
    const silentMs = now - track.lastHeardMs;
    if (track.ref === undefined || silentMs <= (track.plan.silenceMs ?? SILENCE_MS)) continue;
    self.count('sockets-silent');
    self.log('warn', 'socket-silent', { venue: state.args.venue, socket: key, silentMs: Math.round(silentMs) });
    cut(track, self);
  }
  const isLasting = [...state.sockets.values()].every(
    ({ status, openedAtMs }) => status === 'open' && now - openedAtMs >= LASTED_MS,
  );
  if (isLasting) noteSuccess(state, self, 'ws');
  return carryOut(state, self, undefined, state.stream.tick(instant(self)));
}

/** An order or cancel got an answer over this connection. */
export function socketAnswered(state: ConnectorState, key: string | undefined): void {
  const track = key === undefined ? undefined : state.sockets.get(key);
  if (track !== undefined) track.unanswered = 0;
}

/** One got none in time: what we say may not arrive although we still hear, and the next connection may carry both ways. */
export function socketUnanswered(state: ConnectorState, self: ConnectorSelf, key: string): void {
  const track = state.sockets.get(key);
  if (track === undefined) return;
  track.unanswered += 1;
  if (track.unanswered < UNANSWERED_MAX) return;
  self.count('sockets-deaf');
  self.log('warn', 'socket-deaf', { venue: state.args.venue, socket: key, unanswered: track.unanswered });
  track.unanswered = 0;
  cut(track, self);
}

/** Ends every connection for good. */
export function closeSockets(state: ConnectorState, self: ConnectorSelf): void {
  for (const [key, track] of state.sockets) {
    cut(track, self);
    forgetFrames(state, key);
  }
  state.sockets.clear();
}

function cut(track: SocketTrack, self: ConnectorSelf): void {
  // At once: a polite close would wait for the other side, which may be gone.
  if (track.ref !== undefined) self.ports.socket.terminate(track.ref);
}

function find(state: ConnectorState, ref: number): { readonly key: string; readonly track: SocketTrack } | undefined {
  const key = state.socketKeyByRef.get(ref);
  const track = key === undefined ? undefined : state.sockets.get(key);
  return key === undefined || track?.ref !== ref ? undefined : { key, track };
}

/** Sends what the stream wants sent and returns its facts. Without a key a wish to reconnect means every socket. */
function carryOut(
  state: ConnectorState,
  self: ConnectorSelf,
  key: string | undefined,
  result: FrameResult,
): readonly VenueEvent[] {
  if (key !== undefined && result.answered !== undefined) frameAnswered(state, self, key, result.answered);
  for (const frame of result.send) if (frame.kind === 'order') sendText(state, self, frame.socketKey, frame.text);
  if (result.send.length > 0) {
    queueFrames(
      state,
      self,
      result.send.filter(({ kind }) => kind === 'control'),
    );
    releaseFrames(state, self);
  }
  const isOverrun = state.frames.length > FRAMES_MAX;
  const reason = result.reconnect ?? (isOverrun ? `more than ${FRAMES_MAX} frames wait to be sent` : undefined);
  if (reason !== undefined) {
    self.count('sockets-resynced');
    self.log('warn', 'socket-resync', { venue: state.args.venue, socket: key ?? 'all', reason });
    for (const [name, track] of state.sockets) if (key === undefined || name === key) cut(track, self);
    if (isOverrun) state.frames = state.frames.filter((frame) => key !== undefined && frame.socketKey !== key);
  }
  return result.events;
}
