/** A Hyperliquid adapter and a simulated Hyperliquid joined in memory, with one clock that the test moves. */
import type { PriceTicks, QuantityLots } from '../../../src/money/units.ts';
import { createExchange } from '../../../src/simulation/exchange-engine.ts';
import type { Exchange } from '../../../src/simulation/exchange.ts';
import { simulatedMarkets } from '../../../src/simulation/markets.ts';
import type { MarketTape } from '../../../src/simulation/market-tape.ts';
import type { SimulatedVenue, VenueInput, VenueOutput } from '../../../src/simulation/simulated-venue.ts';
import { hyperliquidAdapter } from '../../../src/venues/hyperliquid/adapter.ts';
import { addressOf, HYPERLIQUID_SIGN_TASK, runHyperliquidSignTask } from '../../../src/venues/hyperliquid/sign.ts';
import type { HyperliquidSignInput } from '../../../src/venues/hyperliquid/sign.ts';
import { simulatedHyperliquid } from '../../../src/venues/hyperliquid/simulated.ts';
import type {
  FrameResult,
  Instant,
  Operation,
  OrderRequest,
  SocketPlan,
  SubmissionPlan,
  VenueAdapter,
  VenueEvent,
  VenueStream,
} from '../../../src/venues/venue.ts';
import { START_MS, plainTape } from '../../simulation/plain-tape.ts';

/** A key that signs for the account and owns nothing. */
export const AGENT_KEY = `0x${'17'.repeat(32)}`;
export const ADDRESS = `0x${'a1'.repeat(20)}`;
export const OPENING_MICRO = 10_000_000_000n;

export interface VenueStageOptions {
  readonly scale?: number;
  readonly tape?: MarketTape;
  readonly takerDelayMs?: number;
  readonly privateKey?: string;
  readonly address?: string;
  readonly openingMicro?: bigint;
}

export class VenueStage {
  readonly adapter: VenueAdapter;
  readonly stream: VenueStream;
  readonly venue: SimulatedVenue;
  readonly exchange: Exchange;
  readonly scale: number;
  /** Everything the streams told so far. */
  readonly told: VenueEvent[] = [];
  /** Sockets to be reopened, as the stream asked or the venue closed them. */
  readonly cut: string[] = [];
  readonly #keyBySocket = new Map<number, string>();
  /** Answers that came, by request: an order's comes with its block. */
  readonly #answers = new Map<number, Extract<VenueOutput, { type: 'http-answer' }>>();
  /** Frames the stream sent. */
  readonly sent: string[] = [];
  #monotonicMs = 1_000;
  #requestId = 0;
  #socketId = 0;

  constructor(options: VenueStageOptions = {}) {
    this.scale = options.scale ?? 1;
    this.exchange = createExchange({
      venue: 'hyperliquid',
      markets: simulatedMarkets('hyperliquid', ['BTC', 'SOL']),
      accounts: [{ name: 'main', openingWalletMicro: options.openingMicro ?? OPENING_MICRO, leverage: 5 }],
      tape: options.tape ?? plainTape({ priceAt: () => 90_000 }),
      seed: 11,
      takerDelayMs: options.takerDelayMs ?? 50,
      makerDelayMs: 20,
      cancelDelayMs: 20,
      bookIntervalMs: 250,
    });
    this.venue = simulatedHyperliquid({
      exchange: this.exchange,
      accounts: [{ name: 'main', address: ADDRESS, signers: [ADDRESS, addressOf(AGENT_KEY)], leverage: 5 }],
      seed: 11,
    });
    this.adapter = hyperliquidAdapter({
      account: 'main',
      restUrl: 'http://venue',
      streamUrl: 'ws://venue/ws',
      options: { address: options.address ?? ADDRESS },
      secrets: { privateKey: options.privateKey ?? AGENT_KEY },
      calendarScale: this.scale,
    });
    this.stream = this.adapter.openStream();
    this.input({ type: 'tick' });
  }

  at(): Instant {
    return { calendarMs: START_MS + (this.#monotonicMs - 1_000) * this.scale, monotonicMs: this.#monotonicMs };
  }

  /** Lets time pass in steps as a host would: whenever the venue wants to be woken, and at the end. */
  pass(ms: number): void {
    const untilMs = this.#monotonicMs + ms;
    for (;;) {
      const wakeMs = Math.max(this.#monotonicMs + 1, this.venue.nextWakeMs());
      if (wakeMs >= untilMs) break;
      this.#monotonicMs = wakeMs;
      this.input({ type: 'tick' });
    }
    this.#monotonicMs = untilMs;
    this.input({ type: 'tick' });
    this.#take(this.stream.tick(this.at()));
  }

  /** Moves the clock and nothing else: the next input sees the time. */
  passQuietly(ms: number): void {
    this.#monotonicMs += ms;
  }

  /** Hands one input to the venue and its socket outputs to the stream; returns all outputs. */
  input(input: VenueInput): readonly VenueOutput[] {
    const outputs = this.venue.handle(input, this.at());
    for (const output of outputs) this.#carry(output);
    return outputs;
  }

  #carry(output: VenueOutput): void {
    if (output.type === 'http-answer') this.#answers.set(output.requestId, output);
    if (output.type !== 'socket-text' && output.type !== 'socket-close' && output.type !== 'socket-refuse') return;
    const key = this.#keyBySocket.get(output.socketId);
    if (key === undefined) return;
    if (output.type === 'socket-text') {
      this.#take(this.stream.frame(key, output.text, this.at()));
      return;
    }
    this.#keyBySocket.delete(output.socketId);
    this.told.push(...this.stream.closed(key, this.at()));
    this.cut.push(key);
  }

  #take(result: FrameResult): void {
    this.told.push(...result.events);
    for (const { socketKey, text } of result.send) {
      this.sent.push(text);
      for (const [socketId, key] of this.#keyBySocket)
        if (key === socketKey) this.input({ type: 'socket-text', socketId, text });
    }
  }

  connect(symbols: readonly string[] = ['BTC']): void {
    for (const plan of this.stream.plan(symbols)) this.open(plan);
  }

  open(plan: SocketPlan): void {
    this.#socketId += 1;
    this.#keyBySocket.set(this.#socketId, plan.key);
    this.input({
      type: 'socket-requested',
      socketId: this.#socketId,
      remote: '127.0.0.1',
      path: new URL(plan.url).pathname,
      headers: plan.headers,
    });
    if (this.#keyBySocket.has(this.#socketId)) this.#take(this.stream.opened(plan.key, this.at()));
  }

  /** Sends a request and waits a second for its answer. */
  request(path: string, body: string, method = 'POST'): Extract<VenueOutput, { type: 'http-answer' }> | undefined {
    this.#requestId += 1;
    this.input({
      type: 'http-request',
      requestId: this.#requestId,
      remote: '127.0.0.1',
      method,
      path,
      headers: {},
      body,
    });
    for (let waited = 0; waited < 1_000 && !this.#answers.has(this.#requestId); waited += 10) this.pass(10);
    return this.#answers.get(this.#requestId);
  }

  /** Sends an operation and follows its pages. Returns undefined when no answer came; throws what parsing throws. */
  tryAsk(operation: Operation): readonly VenueEvent[] | undefined {
    const { method, url, body } = operation.request;
    const answer = this.request(url.slice('http://venue'.length), body ?? '', method);
    if (answer === undefined) return undefined;
    const { status, headers } = answer;
    const result = operation.parse({ type: 'http-answered', ref: 1, status, headers, body: answer.body }, this.at());
    return [...result.events, ...(result.next === undefined ? [] : (this.tryAsk(result.next) ?? []))];
  }

  ask(operation: Operation): readonly VenueEvent[] {
    const events = this.tryAsk(operation);
    if (events === undefined) throw new Error(`${operation.name} must be answered`);
    return events;
  }

  /** Reads instruments, connects and waits until the account is ready. */
  start(symbols: readonly string[] = ['BTC']): void {
    this.ask(this.adapter.instruments());
    this.connect(symbols);
    this.pass(300);
  }

  order(change: Partial<OrderRequest> = {}): OrderRequest {
    return {
      clientOrderId: '1001',
      symbol: 'BTC',
      side: 'buy',
      lots: 1_000 as QuantityLots,
      limitTicks: 902_500 as PriceTicks,
      timeInForce: 'ioc',
      postOnly: false,
      reduceOnly: false,
      validUntilMs: this.at().calendarMs + 5_000 * this.scale,
      ...change,
    };
  }

  operationOf(plan: SubmissionPlan | undefined): Operation {
    if (plan === undefined) throw new Error('the adapter must have a plan for it');
    if (plan.sign !== undefined && plan.sign.task !== HYPERLIQUID_SIGN_TASK)
      throw new Error(`no task ${plan.sign.task}`);
    // The input crosses threads on its way to the pool.
    const input = structuredClone(plan.sign?.input) as HyperliquidSignInput | undefined;
    const signature = input === undefined ? undefined : runHyperliquidSignTask(input);
    const submission = plan.submit(signature, this.at());
    if (submission.via !== 'http') throw new Error('Hyperliquid submits over HTTP');
    return submission.operation;
  }

  place(change: Partial<OrderRequest> = {}): readonly VenueEvent[] {
    return this.ask(this.operationOf(this.adapter.placeOrder(this.order(change), undefined, this.at())));
  }

  facts<Type extends VenueEvent['type']>(type: Type): readonly Extract<VenueEvent, { type: Type }>[] {
    return eventsOf(this.told, type);
  }
}

export function eventsOf<Type extends VenueEvent['type']>(
  events: readonly VenueEvent[],
  type: Type,
): readonly Extract<VenueEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<VenueEvent, { type: Type }> => event.type === type);
}
