/** Bybit adapters and a simulated Bybit venue joined in memory, with one clock that the test moves. Two accounts: main and mirror. */
import type { PriceTicks, QuantityLots } from '../../../src/money/units.ts';
import { createExchange } from '../../../src/simulation/exchange-engine.ts';
import type { Exchange } from '../../../src/simulation/exchange.ts';
import type { MarketTape } from '../../../src/simulation/market-tape.ts';
import { simulatedMarkets } from '../../../src/simulation/markets.ts';
import type { SimulatedVenue, VenueInput, VenueOutput } from '../../../src/simulation/simulated-venue.ts';
import { bybitAdapter } from '../../../src/venues/bybit/adapter.ts';
import type { BybitTier } from '../../../src/venues/bybit/limits.ts';
import { simulatedBybit } from '../../../src/venues/bybit/simulated.ts';
import type {
  FrameResult,
  Instant,
  Operation,
  OrderRequest,
  OutboundFrame,
  SubmissionPlan,
  VenueAdapter,
  VenueEvent,
  VenueStream,
} from '../../../src/venues/venue.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';

export const KEYS = {
  main: { apiKey: 'MAINKEY', secret: 'main-secret' },
  mirror: { apiKey: 'MIRRORKEY', secret: 'mirror-secret' },
} as const;
export type AccountName = keyof typeof KEYS;
export const OPENING_MICRO = 10_000_000_000n;
export const FUNDING_MS = 8 * 3_600_000;

export interface VenueStageOptions {
  readonly scale?: number;
  readonly tape?: MarketTape;
  readonly tier?: BybitTier;
  readonly secret?: string;
}

export class VenueStage {
  readonly venue: SimulatedVenue;
  readonly exchange: Exchange;
  readonly scale: number;
  readonly adapters: Readonly<Record<AccountName, VenueAdapter>>;
  readonly streams: Readonly<Record<AccountName, VenueStream>>;
  /** Everything the streams told so far, by account. */
  readonly told: Readonly<Record<AccountName, VenueEvent[]>> = { main: [], mirror: [] };
  /** Sockets to be reopened, as a stream asked or the venue closed them. */
  readonly cut: string[] = [];
  readonly #sockets = new Map<number, { readonly account: AccountName; readonly key: string }>();
  #monotonicMs = 1_000;
  #requestId = 0;
  #socketId = 0;

  constructor(options: VenueStageOptions = {}) {
    this.scale = options.scale ?? 1;
    const names = ['main', 'mirror'] as const;
    this.exchange = createExchange({
      venue: 'bybit',
      markets: simulatedMarkets('bybit', ['BTC', 'SOL']),
      accounts: names.map((name) => ({ name, openingWalletMicro: OPENING_MICRO, leverage: 10 })),
      tape: options.tape ?? plainTape({ priceAt: () => 50_000, intervalMs: FUNDING_MS }),
      seed: 11,
      takerDelayMs: 20,
      makerDelayMs: 20,
      cancelDelayMs: 20,
      bookIntervalMs: 250,
    });
    this.venue = simulatedBybit({
      exchange: this.exchange,
      accounts: names.map((name) => ({ name, ...KEYS[name], tier: options.tier ?? 'standard', leverage: 10 })),
      seed: 11,
      calendarScale: this.scale,
    });
    const open = (account: AccountName): VenueAdapter =>
      bybitAdapter({
        account,
        restUrl: 'http://venue',
        streamUrl: 'ws://venue',
        options: {},
        secrets: { apiKey: KEYS[account].apiKey, apiSecret: options.secret ?? KEYS[account].secret },
        calendarScale: this.scale,
      });
    this.adapters = { main: open('main'), mirror: open('mirror') };
    this.streams = { main: this.adapters.main.openStream(), mirror: this.adapters.mirror.openStream() };
    this.input({ type: 'tick' });
  }

  at(): Instant {
    return { calendarMs: START_MS + (this.#monotonicMs - 1_000) * this.scale, monotonicMs: this.#monotonicMs };
  }

  /** Lets time pass in steps as a host would: whenever the venue wants to be woken, every second, and at the end. */
  pass(ms: number): void {
    const untilMs = this.#monotonicMs + ms;
    for (let tickMs = this.#monotonicMs + 1_000; this.#monotonicMs < untilMs;) {
      const wakeMs = Math.max(this.#monotonicMs + 1, this.venue.nextWakeMs());
      this.#monotonicMs = Math.min(wakeMs, tickMs, untilMs);
      this.input({ type: 'tick' });
      if (this.#monotonicMs < tickMs) continue;
      tickMs += 1_000;
      for (const account of ['main', 'mirror'] as const) this.#take(account, this.streams[account].tick(this.at()));
    }
  }

  input(input: VenueInput): readonly VenueOutput[] {
    const outputs = this.venue.handle(input, this.at());
    for (const output of outputs) this.#carry(output);
    return outputs;
  }

  #carry(output: VenueOutput): void {
    if (output.type === 'http-answer' || output.type === 'http-reset' || output.type === 'socket-ping') return;
    const socket = this.#sockets.get(output.socketId);
    if (socket === undefined) return;
    const { account, key } = socket;
    if (output.type === 'socket-accept') {
      this.#take(account, this.streams[account].opened(key, this.at()));
    } else if (output.type === 'socket-text') {
      this.#take(account, this.streams[account].frame(key, output.text, this.at()), output.socketId);
    } else {
      this.#ended(output.socketId);
    }
  }

  #take(account: AccountName, result: FrameResult, socketId?: number): void {
    this.told[account].push(...result.events);
    for (const frame of result.send) this.#deliver(account, frame);
    if (result.reconnect === undefined || socketId === undefined) return;
    this.input({ type: 'socket-closed', socketId });
    this.#ended(socketId);
  }

  #deliver(account: AccountName, frame: OutboundFrame): void {
    for (const [socketId, socket] of this.#sockets)
      if (socket.account === account && socket.key === frame.socketKey)
        this.input({ type: 'socket-text', socketId, text: frame.text });
  }

  #ended(socketId: number): void {
    const socket = this.#sockets.get(socketId);
    if (!this.#sockets.delete(socketId) || socket === undefined) return;
    this.told[socket.account].push(...this.streams[socket.account].closed(socket.key, this.at()));
    this.cut.push(`${socket.account} ${socket.key}`);
  }

  connect(account: AccountName = 'main', symbols: readonly string[] = ['BTCUSDT']): void {
    for (const plan of this.streams[account].plan(symbols)) {
      this.#socketId += 1;
      this.#sockets.set(this.#socketId, { account, key: plan.key });
      const { pathname, search } = new URL(plan.url);
      const path = pathname + search;
      this.input({
        type: 'socket-requested',
        socketId: this.#socketId,
        remote: '10.0.0.1',
        path,
        headers: plan.headers,
      });
    }
  }

  /** Sends one request as it stands; undefined when no answer came. */
  send(request: Operation['request']): Extract<VenueOutput, { type: 'http-answer' }> | undefined {
    this.#requestId += 1;
    const { method, url, headers, body = '' } = request;
    const path = url.slice('http://venue'.length);
    const requestId = this.#requestId;
    const outputs = this.input({ type: 'http-request', requestId, remote: '10.0.0.1', method, path, headers, body });
    return outputs.find(
      (output): output is Extract<VenueOutput, { type: 'http-answer' }> =>
        output.type === 'http-answer' && output.requestId === requestId,
    );
  }

  /** Sends an operation and follows its pages. Throws what parsing throws. */
  ask(operation: Operation): readonly VenueEvent[] {
    const answer = this.send(operation.requestAt?.(this.at()) ?? operation.request);
    if (answer === undefined) throw new Error(`${operation.name} must be answered`);
    const { status, headers, body } = answer;
    const result = operation.parse({ type: 'http-answered', ref: 1, status, headers, body }, this.at());
    return [...result.events, ...(result.next === undefined ? [] : this.ask(result.next))];
  }

  /** Reads instruments, connects and waits until the account is ready. */
  start(account: AccountName = 'main', symbols: readonly string[] = ['BTCUSDT']): this {
    this.ask(this.adapters[account].instruments());
    this.connect(account, symbols);
    this.pass(300);
    return this;
  }

  /** Buys 0.010 BTC across the spread unless told otherwise. */
  order(
    change: Partial<Omit<OrderRequest, 'lots' | 'limitTicks'>> & { lots?: number; limitTicks?: number } = {},
  ): OrderRequest {
    const { lots = 10, limitTicks = 501_000, ...more } = change;
    return {
      clientOrderId: '1001',
      symbol: 'BTCUSDT',
      side: 'buy',
      lots: lots as QuantityLots,
      limitTicks: limitTicks as PriceTicks,
      timeInForce: 'ioc',
      postOnly: false,
      reduceOnly: false,
      validUntilMs: this.at().calendarMs + 5_000 * this.scale,
      ...more,
    };
  }

  operationOf(plan: SubmissionPlan | undefined): Operation {
    if (plan === undefined) throw new Error('the adapter must have a plan for it');
    const submission = plan.submit(undefined, this.at());
    if (submission.via !== 'http') throw new Error('Bybit submits over HTTP');
    return submission.operation;
  }

  placement(change: Parameters<VenueStage['order']>[0] = {}, account: AccountName = 'main'): Operation {
    return this.operationOf(this.adapters[account].placeOrder(this.order(change), undefined, this.at()));
  }

  place(change: Parameters<VenueStage['order']>[0] = {}, account: AccountName = 'main'): readonly VenueEvent[] {
    return this.ask(this.placement(change, account));
  }

  facts<Type extends VenueEvent['type']>(
    type: Type,
    account: AccountName = 'main',
  ): readonly Extract<VenueEvent, { type: Type }>[] {
    return eventsOf(this.told[account], type);
  }
}

export function eventsOf<Type extends VenueEvent['type']>(
  events: readonly VenueEvent[],
  type: Type,
): readonly Extract<VenueEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<VenueEvent, { type: Type }> => event.type === type);
}
