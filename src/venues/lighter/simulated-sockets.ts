/** The simulated Lighter venue's WebSocket side: connections, subscriptions, keep-alive and the limits of both. Any thread. */
import type { VenueOutput } from '../../simulation/simulated-venue.ts';
import type { Instant } from '../venue.ts';
import type { SimulatedAccess } from './simulated-access.ts';
import { channelKey, needsToken, readChannel } from './simulated-channels.ts';
import type { Channel, ChannelName, FrameBody } from './simulated-channels.ts';
import type { Fields } from './simulated-json.ts';
import { wireJson } from './simulated-json.ts';
import { RollingSums } from '../../simulation/rolling-sums.ts';
import type { SimulatedRecords } from './simulated-records.ts';
import { isRefusal, refusal } from './simulated-refusals.ts';
import type { Refusal } from './simulated-refusals.ts';

const CONNECTIONS_PER_IP = 255;
const MESSAGES_PER_MINUTE = 200;
const IN_FLIGHT_MAX = 50;
const SUBSCRIPTIONS_MAX = 500;
/** A client that says nothing for so long is disconnected. */
const SILENCE_MS = 120_000;
const PING_MS = 60_000;
/** How long the venue takes to answer a subscription: until then it is in flight. */
const CONTROL_ANSWER_MS = 10;

interface Subscription {
  readonly channel: Channel;
  /** Calendar ms at which its token ends; absent without a token. */
  readonly deadlineMs?: number;
}
interface Connection {
  readonly socketId: number;
  readonly remote: string;
  readonly isReadOnly: boolean;
  /** By the channel's name in frames. */
  readonly subscriptions: Map<string, Subscription>;
  /** Control messages taken and not answered yet, oldest first. */
  readonly inFlight: { readonly dueMs: number; readonly message: Fields }[];
  lastHeardMs: number;
  nextPingMs: number;
}

/** Frame faults wait for the next update of a fitting channel. */
export interface FrameFault {
  readonly fault: 'malformed-frame' | 'duplicate-frame';
  readonly channel: string;
}

type Snapshot = (channel: Channel, at: Instant) => FrameBody;

export class SimulatedSockets {
  readonly #records: SimulatedRecords;
  readonly #access: SimulatedAccess;
  readonly #snapshot: Snapshot;
  readonly #connections = new Map<number, Connection>();
  readonly #messages = new RollingSums();
  readonly #newConnections = new RollingSums();
  readonly #faults: FrameFault[] = [];
  #outputs: VenueOutput[] = [];
  #refusals = 0;

  /** `snapshot` makes the first frame of a subscription. */
  constructor(records: SimulatedRecords, access: SimulatedAccess, snapshot: Snapshot) {
    this.#records = records;
    this.#access = access;
    this.#snapshot = snapshot;
  }

  /** Messages and connections refused for exceeding a limit so far. */
  get limitRefusals(): number {
    return this.#refusals;
  }

  /** Everything to be sent since the last call. */
  take(): readonly VenueOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  nextWakeMs(): number {
    let wake = Number.POSITIVE_INFINITY;
    for (const { inFlight, lastHeardMs, nextPingMs } of this.#connections.values())
      wake = Math.min(wake, inFlight[0]?.dueMs ?? Number.POSITIVE_INFINITY, lastHeardMs + SILENCE_MS, nextPingMs);
    return wake;
  }

  open(socketId: number, remote: string, isReadOnly: boolean, at: Instant): void {
    const open = [...this.#connections.values()].filter((connection) => connection.remote === remote).length;
    const isTooMany =
      open >= CONNECTIONS_PER_IP || !this.#newConnections.take(remote, 1, CONNECTIONS_PER_IP, at.monotonicMs);
    if (isTooMany) {
      this.#refusals += 1;
      const body = wireJson({ ...refusal(23003) });
      this.#outputs.push({ type: 'socket-refuse', socketId, status: 429, body });
      return;
    }
    this.#connections.set(socketId, {
      socketId,
      remote,
      isReadOnly,
      subscriptions: new Map(),
      inFlight: [],
      lastHeardMs: at.monotonicMs,
      nextPingMs: at.monotonicMs + PING_MS,
    });
    this.#outputs.push({ type: 'socket-accept', socketId });
    this.#send(socketId, { session_id: sessionIdOf(socketId), type: 'connected' });
  }

  closed(socketId: number): void {
    this.#connections.delete(socketId);
  }

  /** Any frame of the client, its pings and pongs included, breaks its silence. */
  heard(socketId: number, at: Instant): void {
    const connection = this.#connections.get(socketId);
    if (connection !== undefined) connection.lastHeardMs = at.monotonicMs;
  }

  isOpen(socketId: number): boolean {
    return this.#connections.has(socketId);
  }

  /** Closes every connection. */
  drop(): void {
    for (const socketId of [...this.#connections.keys()]) this.#close(socketId, 1001, 'going away');
  }

  damageNext(fault: FrameFault): void {
    this.#faults.push(fault);
  }

  /** True for a connection that may trade. */
  mayTrade(socketId: number): boolean {
    return this.#connections.get(socketId)?.isReadOnly === false;
  }

  sendError(socketId: number, error: Refusal): void {
    this.#send(socketId, { error: { ...error } });
  }

  /** Counts a message against the limits of its connection and IP; transactions do not come here. */
  control(socketId: number, message: Fields, at: Instant): void {
    const connection = this.#connections.get(socketId);
    if (connection === undefined) return;
    if (!this.#messages.take(connection.remote, 1, MESSAGES_PER_MINUTE, at.monotonicMs)) {
      this.#refuse(socketId, refusal(30009));
      return;
    }
    switch (message['type']) {
      case 'ping':
        this.#send(socketId, { type: 'pong' });
        return;
      case 'pong':
        return;
      case 'subscribe':
      case 'unsubscribe':
        if (this.#inFlightOf(connection.remote) >= IN_FLIGHT_MAX) this.#refuse(socketId, refusal(30010));
        else connection.inFlight.push({ dueMs: at.monotonicMs + CONTROL_ANSWER_MS, message });
        return;
      default:
        this.sendError(socketId, refusal(30001));
    }
  }

  /** The limit is an address's, whatever connections it has. */
  #inFlightOf(remote: string): number {
    let inFlight = 0;
    for (const connection of this.#connections.values())
      if (connection.remote === remote) inFlight += connection.inFlight.length;
    return inFlight;
  }

  #refuse(socketId: number, error: Refusal): void {
    this.#refusals += 1;
    this.sendError(socketId, error);
  }

  /** Answers due control messages, ends what ran out of time, pings. Ask before anything newer is published. */
  tick(at: Instant): void {
    for (const connection of this.#connections.values()) {
      if (at.monotonicMs - connection.lastHeardMs >= SILENCE_MS) {
        this.#close(connection.socketId, 1000, 'no activity for 2 minutes');
        continue;
      }
      for (const [key, { deadlineMs }] of connection.subscriptions) {
        if (deadlineMs === undefined || deadlineMs > at.calendarMs) continue;
        connection.subscriptions.delete(key);
        this.sendError(connection.socketId, refusal(20013, `token has expired: ${key}`));
      }
      for (let next = connection.inFlight[0]; next !== undefined && next.dueMs <= at.monotonicMs;) {
        connection.inFlight.shift();
        this.#answer(connection, next.message, at);
        next = connection.inFlight[0];
      }
      if (at.monotonicMs < connection.nextPingMs) continue;
      connection.nextPingMs = at.monotonicMs + PING_MS;
      this.#send(connection.socketId, { type: 'ping' });
    }
  }

  #answer(connection: Connection, message: Fields, at: Instant): void {
    const { socketId, subscriptions } = connection;
    const asked = typeof message['channel'] === 'string' ? message['channel'] : '';
    const channel = readChannel(asked, this.#records);
    if (channel === undefined) {
      this.sendError(socketId, refusal(30005, ` (${asked})`));
      return;
    }
    const key = channelKey(channel);
    if (message['type'] === 'unsubscribe') {
      if (subscriptions.delete(key)) this.#send(socketId, { type: 'unsubscribed', channel: key });
      else this.sendError(socketId, refusal(30002, ` ${key}`));
      return;
    }
    const subscription = this.#admit(connection, channel, message['auth'], at);
    if (isRefusal(subscription)) {
      this.sendError(socketId, subscription);
      return;
    }
    subscriptions.set(key, subscription);
    this.#send(socketId, { type: `subscribed/${channel.name}`, channel: key, ...this.#snapshot(channel, at) });
  }

  #admit(connection: Connection, channel: Channel, token: unknown, at: Instant): Subscription | Refusal {
    const key = channelKey(channel);
    // Only the summary of an account may be asked for again.
    if (connection.subscriptions.has(key) && channel.name !== 'account_all') return refusal(30003, ` ${key}`);
    if (connection.subscriptions.size >= SUBSCRIPTIONS_MAX) {
      this.#refusals += 1;
      return refusal(23001);
    }
    if (!needsToken(channel) || !('account' in channel)) return { channel };
    const signedIn = this.#access.signIn(typeof token === 'string' ? token : '', at.calendarMs);
    if (isRefusal(signedIn)) return signedIn;
    return signedIn.account === channel.account
      ? { channel, deadlineMs: signedIn.deadlineMs }
      : refusal(20013, 'token belongs to another account');
  }

  /** Sends an update to every connection that subscribed to the channel. */
  publish(channel: Channel, makeBody: () => FrameBody): void {
    const key = channelKey(channel);
    let text: string | undefined;
    for (const { socketId, subscriptions } of this.#connections.values()) {
      if (!subscriptions.has(key)) continue;
      text ??= wireJson({ type: `update/${channel.name}`, channel: key, ...makeBody() });
      this.#sendUpdate(socketId, channel.name, text);
    }
  }

  #sendUpdate(socketId: number, name: ChannelName, text: string): void {
    const found = this.#faults.findIndex(({ channel }) => channel === name);
    const [damage] = found < 0 ? [] : this.#faults.splice(found, 1);
    const isMalformed = damage?.fault === 'malformed-frame';
    this.#text(socketId, isMalformed ? text.slice(0, Math.floor(text.length / 2)) : text);
    if (damage?.fault === 'duplicate-frame') this.#text(socketId, text);
  }

  #send(socketId: number, frame: FrameBody): void {
    this.#text(socketId, wireJson(frame));
  }

  /** Sends a frame that is already text; nothing when the connection is gone. */
  #text(socketId: number, text: string): void {
    if (this.#connections.has(socketId)) this.#outputs.push({ type: 'socket-text', socketId, text });
  }

  #close(socketId: number, code: number, reason: string): void {
    this.#connections.delete(socketId);
    this.#outputs.push({ type: 'socket-close', socketId, code, reason });
  }
}

/** Looks like the venue's own, and is the same in every run. */
function sessionIdOf(socketId: number): string {
  return `8d354239-80e0-4b77-8763-${socketId.toString(16).padStart(12, '0')}`;
}
