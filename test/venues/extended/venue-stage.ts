/** An Extended adapter and a simulated Extended venue joined in memory, with one clock that the test moves. */
import type { Instrument } from '../../../src/market/instrument.ts';
import type { MicroUnits, PicoRate, PriceTicks, QuantityLots } from '../../../src/money/units.ts';
import { createExchange } from '../../../src/simulation/exchange-engine.ts';
import type { Exchange } from '../../../src/simulation/exchange.ts';
import type { MarketTape } from '../../../src/simulation/market-tape.ts';
import type { SimulatedVenue, VenueInput, VenueOutput } from '../../../src/simulation/simulated-venue.ts';
import { extendedAdapter } from '../../../src/venues/extended/adapter.ts';
import { EXTENDED_SIGN_TASK, runExtendedSignTask, starkPublicKeyOf } from '../../../src/venues/extended/sign.ts';
import type { ExtendedSignInput } from '../../../src/venues/extended/sign.ts';
import { simulatedExtended } from '../../../src/venues/extended/simulated.ts';
import type {
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

export const PRIVATE_KEY = '0x7a7ff6fd3cab02ccdcd4a572563f5976f8976899b03a39773795a3c486d4986';
export const API_KEY = 'test-key';
export const OPENING_MICRO = 10_000_000_000n;

export function market(symbol: string, change: Partial<Instrument> = {}): Instrument {
  return {
    venue: 'extended',
    symbol,
    base: symbol.replace('-USD', ''),
    quote: 'USD',
    multiplier: 1,
    priceDecimals: 1,
    tickUnits: 5,
    quantityDecimals: 5,
    lotUnits: 1,
    minQuantityLots: 10 as QuantityLots,
    minNotionalMicro: 0n as MicroUnits,
    maxNotionalMicro: 5_000_000_000_000n as MicroUnits,
    maxLeverage: 50,
    maintenanceMarginRate: 10_000_000_000 as PicoRate,
    makerFee: 0 as PicoRate,
    takerFee: 250_000_000 as PicoRate,
    fundingIntervalMs: 3_600_000,
    fundingPrice: 'mark',
    status: 'active',
    priceBand: 50_000_000_000 as PicoRate,
    ...change,
  };
}

export interface VenueStageOptions {
  readonly scale?: number;
  readonly tape?: MarketTape;
  readonly takerDelayMs?: number;
  readonly requestsPerMinute?: number;
  readonly privateKey?: string;
  readonly apiKey?: string;
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
  #monotonicMs = 1_000;
  #requestId = 0;
  #socketId = 0;

  constructor(options: VenueStageOptions = {}) {
    this.scale = options.scale ?? 1;
    this.exchange = createExchange({
      venue: 'extended',
      markets: [market('BTC-USD'), market('SOL-USD', { priceDecimals: 3, tickUnits: 1, quantityDecimals: 2 })],
      accounts: [{ name: 'main', openingWalletMicro: options.openingMicro ?? OPENING_MICRO, leverage: 5 }],
      tape: options.tape ?? plainTape({ priceAt: () => 90_000 }),
      seed: 11,
      takerDelayMs: options.takerDelayMs ?? 50,
      makerDelayMs: 20,
      cancelDelayMs: 20,
      bookIntervalMs: 250,
    });
    this.venue = simulatedExtended({
      exchange: this.exchange,
      accounts: [
        {
          name: 'main',
          apiKey: API_KEY,
          starkPublicKey: starkPublicKeyOf(PRIVATE_KEY),
          vault: 10_002,
          accountId: 3017,
          leverage: 5,
        },
      ],
      seed: 11,
      ...(options.requestsPerMinute === undefined ? {} : { requestsPerMinute: options.requestsPerMinute }),
    });
    this.adapter = extendedAdapter({
      account: 'main',
      restUrl: 'http://venue/api/v1',
      streamUrl: 'ws://venue/stream.extended.exchange/v1',
      options: { vault: 10_002 },
      secrets: { apiKey: options.apiKey ?? API_KEY, privateKey: options.privateKey ?? PRIVATE_KEY },
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
    this.told.push(...this.stream.tick(this.at()).events);
  }

  /** Hands one input to the venue and its socket outputs to the stream; returns all outputs. */
  input(input: VenueInput): readonly VenueOutput[] {
    const outputs = this.venue.handle(input, this.at());
    for (const output of outputs) this.#carry(output);
    return outputs;
  }

  #carry(output: VenueOutput): void {
    if (output.type === 'socket-ping') {
      this.input({ type: 'socket-pong', socketId: output.socketId });
      return;
    }
    if (output.type === 'http-answer' || output.type === 'http-reset' || output.type === 'socket-accept') return;
    const key = this.#keyBySocket.get(output.socketId);
    if (key === undefined) return;
    if (output.type === 'socket-text') {
      const result = this.stream.frame(key, output.text, this.at());
      this.told.push(...result.events);
      if (result.reconnect === undefined) return;
      this.input({ type: 'socket-closed', socketId: output.socketId });
    }
    this.#keyBySocket.delete(output.socketId);
    this.told.push(...this.stream.closed(key, this.at()));
    this.cut.push(key);
  }

  connect(symbols: readonly string[] = ['BTC-USD']): void {
    for (const plan of this.stream.plan(symbols)) this.open(plan);
  }

  open(plan: SocketPlan): readonly VenueOutput[] {
    this.#socketId += 1;
    this.#keyBySocket.set(this.#socketId, plan.key);
    this.told.push(...this.stream.opened(plan.key, this.at()).events);
    return this.input({
      type: 'socket-requested',
      socketId: this.#socketId,
      remote: '127.0.0.1',
      path: new URL(plan.url).pathname + new URL(plan.url).search,
      headers: plan.headers,
    });
  }

  /** Sends an operation and follows its pages. Returns undefined when no answer came; throws what parsing throws. */
  tryAsk(operation: Operation): readonly VenueEvent[] | undefined {
    this.#requestId += 1;
    const { method, url, headers, body } = operation.request;
    const outputs = this.input({
      type: 'http-request',
      requestId: this.#requestId,
      remote: '127.0.0.1',
      method,
      path: url.slice('http://venue'.length),
      headers,
      body: body ?? '',
    });
    const answer = outputs.find((output) => output.type === 'http-answer' && output.requestId === this.#requestId);
    if (answer?.type !== 'http-answer') return undefined;
    const { status } = answer;
    const result = operation.parse(
      { type: 'http-answered', ref: 1, status, headers: answer.headers, body: answer.body },
      this.at(),
    );
    return [...result.events, ...(result.next === undefined ? [] : (this.tryAsk(result.next) ?? []))];
  }

  ask(operation: Operation): readonly VenueEvent[] {
    const events = this.tryAsk(operation);
    if (events === undefined) throw new Error(`${operation.name} must be answered`);
    return events;
  }

  /** Reads instruments, connects and waits until the account is ready. */
  start(symbols: readonly string[] = ['BTC-USD']): void {
    this.ask(this.adapter.instruments());
    this.connect(symbols);
    this.pass(300);
  }

  order(change: Partial<OrderRequest> = {}): OrderRequest {
    return {
      clientOrderId: '1001',
      symbol: 'BTC-USD',
      side: 'buy',
      lots: 1_000 as QuantityLots,
      limitTicks: 180_500 as PriceTicks,
      timeInForce: 'ioc',
      postOnly: false,
      reduceOnly: false,
      validUntilMs: this.at().calendarMs + 5_000 * this.scale,
      ...change,
    };
  }

  operationOf(plan: SubmissionPlan | undefined): Operation {
    if (plan === undefined) throw new Error('the adapter must have a plan for it');
    if (plan.sign !== undefined && plan.sign.task !== EXTENDED_SIGN_TASK) throw new Error(`no task ${plan.sign.task}`);
    // The input crosses threads on its way to the pool.
    const input = structuredClone(plan.sign?.input) as ExtendedSignInput | undefined;
    const signature = input === undefined ? undefined : runExtendedSignTask(input, new Uint8Array(64));
    const submission = plan.submit(signature, this.at());
    if (submission.via !== 'http') throw new Error('Extended submits over HTTP');
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
