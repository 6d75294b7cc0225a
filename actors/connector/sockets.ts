/** The connector's sockets: opened as the stream plans, cut when silent, reopened with jittered backoff, control frames paced. */
import type { SocketClosed, SocketFrame } from '../../src/ports/ports.ts';
import type { FrameResult } from '../../src/venues/venue.ts';
import { applyEvents } from './events.ts';
import { dueIn } from './operations.ts';
import { tellStatus } from './publish.ts';
import { instant } from './state.ts';
import type { ConnectorSelf, ConnectorState, SocketTrack } from './state.ts';

const SILENCE_MS = 10_000;
const BACKOFF_MIN_MS = 250;
const BACKOFF_MAX_MS = 30_000;

/** Opens the sockets the stream wants and does not have. */
export function openSockets(state: ConnectorState, self: ConnectorSelf): void {
  for (const plan of state.stream.plan(state.symbols)) {
    if (!state.sockets.has(plan.key)) {
      state.sockets.set(plan.key, { plan, ref: undefined, status: 'waiting', lastHeardMs: self.monotonicMs(), failures: 0 });
      openSocket(state, self, plan.key);
    }
  }
}

export function openSocket(state: ConnectorState, self: ConnectorSelf, key: string): void {
  const track = state.sockets.get(key);
  if (track === undefined || track.status !== 'waiting' || state.fatal !== undefined) return;
  const ref = self.ports.socket.open(track.plan.url, track.plan.headers);
  state.socketKeyByRef.set(ref, key);
  track.ref = ref;
  track.status = 'opening';
  track.lastHeardMs = self.monotonicMs();
}

export function socketOpened(state: ConnectorState, self: ConnectorSelf, ref: number): void {
  const key = state.socketKeyByRef.get(ref);
  const track = key === undefined ? undefined : state.sockets.get(key);
  if (key === undefined || track === undefined || track.ref !== ref) return;
  track.status = 'open';
  track.lastHeardMs = self.monotonicMs();
  carryOut(state, self, key, state.stream.opened(key, instant(self)));
}

export function socketHeard(state: ConnectorState, self: ConnectorSelf, ref: number): void {
  const key = state.socketKeyByRef.get(ref);
  const track = key === undefined ? undefined : state.sockets.get(key);
  if (track !== undefined) track.lastHeardMs = self.monotonicMs();
}

export function socketFrame(state: ConnectorState, self: ConnectorSelf, frame: SocketFrame): void {
  const key = state.socketKeyByRef.get(frame.ref);
  const track = key === undefined ? undefined : state.sockets.get(key);
  // A frame of a connection that was cut: its successor delivers the truth.
  if (key === undefined || track === undefined || track.ref !== frame.ref) return;
  track.lastHeardMs = frame.receivedAtMonotonicMs;
  track.failures = 0;
  carryOut(state, self, key, state.stream.frame(key, frame.text, { calendarMs: self.nowMs(), monotonicMs: frame.receivedAtMonotonicMs }));
}

export function socketClosed(state: ConnectorState, self: ConnectorSelf, closed: SocketClosed): void {
  const key = state.socketKeyByRef.get(closed.ref);
  state.socketKeyByRef.delete(closed.ref);
  const track = key === undefined ? undefined : state.sockets.get(key);
  if (key === undefined || track === undefined || track.ref !== closed.ref) return;
  track.failures += 1;
  track.ref = undefined;
  track.status = 'waiting';
  state.frames = state.frames.filter((frame) => frame.socketKey !== key);
  self.count('sockets-closed');
  self.log('warn', 'socket-closed', { venue: state.args.venue, socket: key, code: closed.code, detail: closed.detail });
  applyEvents(state, self, state.stream.closed(key, instant(self)), undefined);
  // Full jitter, never zero: a venue that drops everybody must not be stormed.
  const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(track.failures, 10));
  const delayMs = BACKOFF_MIN_MS + self.random('reconnect').nextFraction() * (ceilingMs - BACKOFF_MIN_MS);
  self.after(delayMs, { type: 'reopen-socket', socketKey: key });
}

/** Cuts sockets that have been silent for too long and lets the stream do its timed work. */
export function tickSockets(state: ConnectorState, self: ConnectorSelf): void {
  const now = self.monotonicMs();
  for (const [key, track] of state.sockets) {
    if (track.ref !== undefined && now - track.lastHeardMs > (track.plan.silenceMs ?? SILENCE_MS)) {
      self.log('warn', 'socket-silent', { venue: state.args.venue, socket: key, silentMs: Math.round(now - track.lastHeardMs) });
      cut(track, self);
    }
  }
  carryOut(state, self, undefined, state.stream.tick(instant(self)));
}

function cut(track: SocketTrack, self: ConnectorSelf): void {
  if (track.ref !== undefined) self.ports.socket.terminate(track.ref);
}

/** Applies what the stream made of a frame. */
function carryOut(state: ConnectorState, self: ConnectorSelf, key: string | undefined, result: FrameResult): void {
  for (const frame of result.send) {
    if (frame.kind === 'control') state.frames.push({ socketKey: frame.socketKey, text: frame.text });
    else sendText(state, self, frame.socketKey, frame.text);
  }
  if (result.send.length > 0) releaseFrames(state, self);
  applyEvents(state, self, result.events, undefined);
  if (result.reconnect !== undefined && key !== undefined) {
    self.log('warn', 'socket-resync', { venue: state.args.venue, socket: key, reason: result.reconnect });
    const track = state.sockets.get(key);
    if (track !== undefined) cut(track, self);
    tellStatus(state, self, false);
  }
}

/** Sends queued control frames as the venue's message limit allows, in order. */
export function releaseFrames(state: ConnectorState, self: ConnectorSelf): void {
  for (let frame = state.frames[0]; frame !== undefined; frame = state.frames[0]) {
    const wait = state.frameLimiter?.acquire(1, 0, self.monotonicMs()) ?? 0;
    if (wait > 0) {
      dueIn(state, self, wait);
      return;
    }
    state.frames.shift();
    sendText(state, self, frame.socketKey, frame.text);
  }
}

/** Returns false when the socket is not open. */
export function sendText(state: ConnectorState, self: ConnectorSelf, key: string, text: string): boolean {
  const ref = state.sockets.get(key)?.ref;
  return ref !== undefined && self.ports.socket.send(ref, text);
}
