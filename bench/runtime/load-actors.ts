/** The load of the mailbox benchmarks: a paced producer and a consumer that measures, as actors and as plain functions. */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { replyTo } from '../../src/runtime/ask.ts';

/** An order event as a connector tells it to a position: what crosses threads most among general messages. */
export interface LoadMessage {
  readonly type: 'load';
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly priceTicks: number;
  readonly quantityLots: number;
  readonly feeMicros: bigint;
  readonly number: number;
  /** Monotonic ms at which it should have been sent. */
  readonly dueAtMs: number;
}

export function loadMessage(number: number, dueAtMs: number): LoadMessage {
  return {
    type: 'load',
    clientOrderId: `tandem-1-${number}`,
    symbol: 'BTC-PERP',
    side: (number & 1) === 0 ? 'buy' : 'sell',
    priceTicks: 6_543_210 + (number % 1_000),
    quantityLots: 250,
    feeMicros: 1_234_567n,
    number,
    dueAtMs,
  };
}

/** The best prices of a book as a connector tells them to a strategy: the message there is most of. */
export interface TickMessage {
  readonly type: 'load-tick';
  readonly venue: string;
  readonly symbol: string;
  readonly bidTicks: number;
  readonly bidLots: number;
  readonly askTicks: number;
  readonly askLots: number;
  readonly number: number;
  /** Monotonic ms at which it should have been sent. */
  readonly dueAtMs: number;
}

export function tickMessage(number: number, dueAtMs: number): TickMessage {
  return {
    type: 'load-tick',
    venue: 'extended',
    symbol: 'BTC-PERP',
    bidTicks: 6_543_210 + (number % 1_000),
    bidLots: 250,
    askTicks: 6_543_215 + (number % 1_000),
    askLots: 175,
    number,
    dueAtMs,
  };
}

/** The same of one of 1,000 symbols, of which only the newest counts. */
export type NewestMessage = Omit<TickMessage, 'type'> & { readonly type: 'load-newest' };

const SYMBOLS = Array.from({ length: 1_000 }, (_, index) => `SYM${index}-PERP`);

export function newestMessage(number: number, dueAtMs: number): NewestMessage {
  return {
    type: 'load-newest',
    venue: 'extended',
    symbol: SYMBOLS[number % SYMBOLS.length] ?? '',
    bidTicks: 6_543_210 + (number % 1_000),
    bidLots: 250,
    askTicks: 6_543_215 + (number % 1_000),
    askLots: 175,
    number,
    dueAtMs,
  };
}

export type AnyLoad = LoadMessage | TickMessage | NewestMessage;
export const MESSAGES = { general: loadMessage, hot: tickMessage, newest: newestMessage } as const;
export type Load = keyof typeof MESSAGES;

/** `ratePerSecond` 0: as fast as the receiver takes them. */
export interface LoadPlan {
  readonly count: number;
  readonly ratePerSecond: number;
  /** Which messages. Default general. */
  readonly load?: Load;
}

/** Messages sent before the event loop gets its turn. */
const BATCH = 500;

export type ProducerMessage =
  ({ readonly type: 'produce'; readonly to: string } & LoadPlan) | { readonly type: 'produce-next' };

interface ProducerState {
  to: string;
  plan: LoadPlan;
  sent: number;
  startedAtMs: number;
}

export const producer: ActorKind<unknown, ProducerState, ProducerMessage> = {
  kind: 'producer',
  delivery: {
    produce: { class: 'must-deliver', priority: 'normal' },
    'produce-next': { class: 'must-deliver', priority: 'normal' },
  },
  start: () => ({ to: '', plan: { count: 0, ratePerSecond: 0 }, sent: 0, startedAtMs: 0 }),
  receive(state, message, self) {
    if (message.type === 'produce') {
      state.to = message.to;
      state.plan = message;
      state.sent = 0;
      state.startedAtMs = self.monotonicMs();
    }
    const due = dueCount(state.plan, state.sent, state.startedAtMs, self.monotonicMs());
    const makeMessage = MESSAGES[state.plan.load ?? 'general'];
    let isRefused = false;
    while (state.sent < due && !isRefused) {
      const outcome = self.tell(
        refOf<AnyLoad>(state.to),
        makeMessage(state.sent, dueAtMs(state.plan, state.sent, state.startedAtMs, self.monotonicMs())),
      );
      if (outcome === 'refused') isRefused = true;
      else state.sent += 1;
    }
    if (state.sent < state.plan.count) self.after(isRefused ? 1 : 0, { type: 'produce-next' });
    return state;
  },
};

/** Returns how many messages should be out by now. */
export function dueCount(plan: LoadPlan, sent: number, startedAtMs: number, nowMs: number): number {
  if (plan.ratePerSecond === 0) return Math.min(plan.count, sent + BATCH);
  return Math.min(plan.count, Math.floor(((nowMs - startedAtMs) * plan.ratePerSecond) / 1_000));
}

export function dueAtMs(plan: LoadPlan, number: number, startedAtMs: number, nowMs: number): number {
  return plan.ratePerSecond === 0 ? nowMs : startedAtMs + (number * 1_000) / plan.ratePerSecond;
}

/** What a consumer saw of one plan. */
export interface LoadReport {
  readonly isComplete: boolean;
  readonly received: number;
  /** First message to last, monotonic ms. */
  readonly elapsedMs: number;
  /** Age at receipt, ms, ascending; the first tenth of the messages is warm-up and left out. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Counts messages and their ages. */
export class LoadMeter {
  readonly #ages: Float64Array;
  /** Where only the newest counts: the last number seen per symbol. */
  readonly #newest: Map<string, number> | undefined;
  #lastOnes = 0;
  #received = 0;
  #firstAtMs = 0;
  #lastAtMs = 0;

  constructor(count: number, isNewestOnly = false) {
    this.#ages = new Float64Array(count);
    this.#newest = isNewestOnly ? new Map() : undefined;
  }

  /** Whether everything that must arrive has. */
  get isComplete(): boolean {
    return this.#newest === undefined ? this.#received >= this.#ages.length : this.#lastOnes === SYMBOLS.length;
  }

  /** Throws when a value is not newer than the one before it. */
  noteNewest({ symbol, number, dueAtMs }: NewestMessage, nowMs: number): void {
    const last = this.#newest?.get(symbol) ?? -1;
    if (number <= last) throw new Error(`${symbol} must go on from ${last}, went to ${number}`);
    this.#newest?.set(symbol, number);
    if (number >= this.#ages.length - SYMBOLS.length) this.#lastOnes += 1;
    this.note(dueAtMs, nowMs);
  }

  get received(): number {
    return this.#received;
  }

  note(sentAtMs: number, nowMs: number): void {
    if (this.#received === 0) this.#firstAtMs = nowMs;
    this.#lastAtMs = nowMs;
    this.#ages[this.#received] = nowMs - sentAtMs;
    this.#received += 1;
  }

  /** Ages are only sorted once everything came: a question in between must not disturb what is measured. */
  report(): LoadReport {
    if (!this.isComplete)
      return { isComplete: false, received: this.#received, elapsedMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 };
    const ages = this.#ages.slice(Math.floor(this.#received / 10), this.#received).sort();
    const at = (fraction: number): number => ages[Math.min(ages.length - 1, Math.floor(ages.length * fraction))] ?? 0;
    return {
      isComplete: true,
      received: this.#received,
      elapsedMs: this.#lastAtMs - this.#firstAtMs,
      p50Ms: at(0.5),
      p95Ms: at(0.95),
      p99Ms: at(0.99),
      maxMs: at(1),
    };
  }
}

export type ConsumerMessage =
  | AnyLoad
  | { readonly type: 'expect'; readonly count: number; readonly load?: Load }
  | { readonly type: 'report-load'; readonly replyTo: ActorRef; readonly askId: number };

export const consumer: ActorKind<unknown, { meter: LoadMeter }, ConsumerMessage> = {
  kind: 'consumer',
  delivery: {
    load: {
      class: 'must-deliver',
      priority: 'order',
      keys: Object.keys(loadMessage(0, 0)),
    },
    'load-tick': {
      class: 'must-deliver',
      priority: 'order',
      shape: (f, tick) => ({
        type: 'load-tick',
        venue: f.text(tick.venue),
        symbol: f.text(tick.symbol),
        bidTicks: f.number(tick.bidTicks),
        bidLots: f.number(tick.bidLots),
        askTicks: f.number(tick.askTicks),
        askLots: f.number(tick.askLots),
        number: f.number(tick.number),
        dueAtMs: f.number(tick.dueAtMs),
      }),
    },
    'load-newest': {
      class: 'market',
      keyFields: ['symbol'],
      shape: (f, tick) => ({
        type: 'load-newest',
        venue: f.text(tick.venue),
        symbol: f.text(tick.symbol),
        bidTicks: f.number(tick.bidTicks),
        bidLots: f.number(tick.bidLots),
        askTicks: f.number(tick.askTicks),
        askLots: f.number(tick.askLots),
        number: f.number(tick.number),
        dueAtMs: f.number(tick.dueAtMs),
      }),
    },
    // Ahead of the load, whichever of the two threads is faster.
    expect: { class: 'must-deliver', priority: 'risk' },
    'report-load': { class: 'must-deliver', priority: 'normal' },
  },
  start: () => ({ meter: new LoadMeter(0) }),
  receive(state, message, self) {
    switch (message.type) {
      case 'load':
      case 'load-tick':
        state.meter.note(message.dueAtMs, self.monotonicMs());
        return state;
      case 'load-newest':
        state.meter.noteNewest(message, self.monotonicMs());
        return state;
      case 'expect':
        state.meter = new LoadMeter(message.count, message.load === 'newest');
        return state;
      case 'report-load':
        replyTo(self, message, state.meter.report());
        return state;
    }
  },
};
