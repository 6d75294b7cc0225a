/** The subscriptions of one Lighter connection: which are asked for, which are answered, how many may be open at once. Connector thread only. */
import type { OutboundFrame } from '../venue.ts';

/** The venue allows 50 unanswered messages on a connection; pings and unsubscribes need some of them. */
const UNANSWERED_MAX = 35;
/** A subscription without its first frame after this is asked for again, monotonic ms. */
const ANSWER_MS = 10_000;

interface Subscription {
  readonly auth: string | undefined;
  /** Undefined once the first frame came. */
  askedAtMs: number | undefined;
}

export class Subscriptions {
  readonly #socketKey: string;
  /** By channel as it is asked for, for example `order_book/1`. */
  readonly #byChannel = new Map<string, Subscription>();
  #unanswered = 0;

  constructor(socketKey: string) {
    this.#socketKey = socketKey;
  }

  /** Asks for channels not asked for yet, as many as may be unanswered; call again when an answer came. */
  want(channels: readonly string[], nowMs: number, auth?: string): readonly OutboundFrame[] {
    const frames: OutboundFrame[] = [];
    for (const channel of channels) {
      if (this.#unanswered >= UNANSWERED_MAX) break;
      if (!this.#byChannel.has(channel)) frames.push(this.#ask(channel, nowMs, auth));
    }
    return frames;
  }

  /** Ends a subscription and asks for it again: its first frame will come once more. */
  renew(channel: string, nowMs: number, auth?: string): readonly OutboundFrame[] {
    return [this.#frame('unsubscribe', channel), this.#ask(channel, nowMs, auth)];
  }

  /** The first frame of a channel came. False when it was not waited for. */
  answered(channel: string): boolean {
    const subscription = this.#byChannel.get(channel);
    if (subscription?.askedAtMs === undefined) return false;
    subscription.askedAtMs = undefined;
    this.#unanswered -= 1;
    return true;
  }

  /** Renews what has waited too long: a refusal does not name its channel, so silence is all there is to see. */
  retryUnanswered(nowMs: number): readonly OutboundFrame[] {
    const late = [...this.#byChannel].filter(
      ([, { askedAtMs }]) => askedAtMs !== undefined && nowMs - askedAtMs >= ANSWER_MS,
    );
    return late.flatMap(([channel, { auth }]) => this.renew(channel, nowMs, auth));
  }

  #ask(channel: string, nowMs: number, auth: string | undefined): OutboundFrame {
    const known = this.#byChannel.get(channel);
    if (known?.askedAtMs === undefined) this.#unanswered += 1;
    this.#byChannel.set(channel, { auth, askedAtMs: nowMs });
    return this.#frame('subscribe', channel, auth);
  }

  #frame(type: 'subscribe' | 'unsubscribe', channel: string, auth?: string): OutboundFrame {
    const text = JSON.stringify({ type, channel, ...(auth === undefined ? {} : { auth }) });
    return { socketKey: this.#socketKey, text, kind: 'control', key: channel, awaits: `${type} ${channel}` };
  }
}
