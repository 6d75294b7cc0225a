/**
 * Control frames on their way out: paced by the venue's limits on messages and on unanswered ones, newer wishes in the place of older
 * ones that have not left. The last word about a channel always leaves. Connector thread.
 */
import type { OutboundFrame } from '../../src/venues/venue.ts';
import { fallBack, isInForce } from './fall-back.ts';
import { dueIn } from './requests.ts';
import type { ConnectorSelf, ConnectorState } from './state.ts';

/** Frames waiting for the venue's message limit; beyond it a socket starts afresh. */
export const FRAMES_MAX = 2_000;
/** Whatever is unanswered for longer is not counted as in flight any more: refusals do not name what they refuse. */
const ANSWER_MAX_MS = 10_000;

/** Queues frames that are wanted together; those of one key take the place of what waits under it. */
export function queueFrames(state: ConnectorState, self: ConnectorSelf, frames: readonly OutboundFrame[]): void {
  for (const group of groupsOf(frames)) {
    const [first] = group;
    if (first?.key === undefined || !isInForce(state, 'coalescing')) {
      state.frames.push(...group);
      continue;
    }
    const isOfKey = (frame: OutboundFrame): boolean => frame.socketKey === first.socketKey && frame.key === first.key;
    const at = state.frames.findIndex(isOfKey);
    if (at < 0) {
      state.frames.push(...group);
      continue;
    }
    const waiting = state.frames.filter(isOfKey);
    state.frames = state.frames.filter((frame) => !isOfKey(frame));
    // What begins where the older wish would have begun needs no undoing: nothing of that one has left.
    const start = group.findIndex((frame) => frame.awaits === waiting[0]?.awaits);
    const merged = group.slice(Math.max(0, start));
    state.frames.splice(at, 0, ...merged);
    for (const { socketKey, awaits } of merged) if (awaits !== undefined) state.coalesced.add(`${socketKey} ${awaits}`);
    self.count('frames-coalesced', waiting.length);
  }
}

/** Frames of one key that are wanted together belong together: ending a subscription and asking for it again. */
function groupsOf(frames: readonly OutboundFrame[]): readonly (readonly OutboundFrame[])[] {
  const groups = new Map<string, OutboundFrame[]>();
  for (const [index, frame] of frames.entries()) {
    const name = frame.key === undefined ? `${index}` : `${frame.socketKey} ${frame.key}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [frame]);
    else group.push(frame);
  }
  return [...groups.values()];
}

/** Sends queued frames as the limits allow, in order; what no answer will come for does not wait for answers. */
export function releaseFrames(state: ConnectorState, self: ConnectorSelf): void {
  if (state.frames.length === 0) return;
  const now = self.monotonicMs();
  forgetUnanswered(state, self, now);
  const { frameLimiter } = state;
  const kept: OutboundFrame[] = [];
  let waitMs = 0;
  for (const frame of state.frames) {
    const isAnswered = frame.awaits !== undefined;
    // One that must wait for the window makes all wait; one that waits for an answer only its like.
    const isHeld = waitMs > 0 || (isAnswered && frameLimiter?.isInFlightFull(0) === true);
    if (isHeld) {
      kept.push(frame);
      continue;
    }
    waitMs = frameLimiter?.acquire(1, 0, now, isAnswered) ?? 0;
    if (waitMs > 0) {
      kept.push(frame);
      continue;
    }
    if (frame.awaits !== undefined) noteAwaited(state, frame, now);
    sendText(state, self, frame.socketKey, frame.text);
  }
  state.frames = kept;
  if (kept.length > 0) dueIn(state, self, waitMs > 0 ? waitMs : ANSWER_MAX_MS);
}

function noteAwaited(state: ConnectorState, { socketKey, awaits }: OutboundFrame, now: number): void {
  const name = `${socketKey} ${awaits}`;
  state.awaited.set(name, [...(state.awaited.get(name) ?? []), now]);
}

/** The answer to a frame came: the oldest of that name has it. */
export function frameAnswered(state: ConnectorState, self: ConnectorSelf, socketKey: string, answered: string): void {
  const name = `${socketKey} ${answered}`;
  state.coalesced.delete(name);
  const [oldest, ...rest] = state.awaited.get(name) ?? [];
  if (oldest === undefined) return;
  if (rest.length > 0) state.awaited.set(name, rest);
  else state.awaited.delete(name);
  state.frameLimiter?.settled();
  releaseFrames(state, self);
}

/** A connection ended: nothing that waits for it leaves, nothing that left on it is answered. */
export function forgetFrames(state: ConnectorState, socketKey: string): void {
  state.frames = state.frames.filter((frame) => frame.socketKey !== socketKey);
  for (const name of state.coalesced) if (name.startsWith(`${socketKey} `)) state.coalesced.delete(name);
  for (const [name, sentAtMs] of state.awaited) {
    if (!name.startsWith(`${socketKey} `)) continue;
    state.awaited.delete(name);
    for (const _ of sentAtMs) state.frameLimiter?.settled();
  }
}

function forgetUnanswered(state: ConnectorState, self: ConnectorSelf, now: number): void {
  for (const [name, sentAtMs] of state.awaited) {
    const fresh = sentAtMs.filter((atMs) => now - atMs < ANSWER_MAX_MS);
    // What was left out may have been what the venue needed to make sense of the rest.
    if (fresh.length < sentAtMs.length && state.coalesced.delete(name))
      fallBack(state, self, 'coalescing', `no answer to ${name}`);
    for (let lost = fresh.length; lost < sentAtMs.length; lost++) state.frameLimiter?.settled();
    if (fresh.length === 0) state.awaited.delete(name);
    else if (fresh.length < sentAtMs.length) state.awaited.set(name, fresh);
  }
}

/** Returns false when the socket is not open; nothing was sent then. */
export function sendText(state: ConnectorState, self: ConnectorSelf, key: string, text: string): boolean {
  const ref = state.sockets.get(key)?.ref;
  return ref !== undefined && self.ports.socket.send(ref, text);
}
