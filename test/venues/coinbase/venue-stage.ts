/** Coinbase adapters and a simulated Coinbase venue joined in memory, with one clock that the test moves. Two accounts: main and mirror. */
import type { PriceTicks, QuantityLots } from '../../../src/money/units.ts';
import { createExchange } from '../../../src/simulation/exchange-engine.ts';
import type { Exchange } from '../../../src/simulation/exchange.ts';
import type { MarketTape } from '../../../src/simulation/market-tape.ts';
import { simulatedMarkets } from '../../../src/simulation/markets.ts';
import type { SimulatedVenue, VenueInput, VenueOutput } from '../../../src/simulation/simulated-venue.ts';
import { coinbaseAdapter } from '../../../src/venues/coinbase/adapter.ts';
import type { CoinbaseTier } from '../../../src/venues/coinbase/limits.ts';
import { platformKey, publicKeyOf } from '../../../src/venues/coinbase/sign.ts';
import { simulatedCoinbase } from '../../../src/venues/coinbase/simulated.ts';
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

const SEC1_KEY = [
  '-----BEGIN EC PRIVATE KEY-----',
  'MHcCAQEEIKwf3Uox30cRWzRBOPoPOH5p0Gpb0Dt8zUKXUEM5fMkGoAoGCCqGSM49',
  'AwEHoUQDQgAEbAtpLlSZYVOwYICz+uEyxcS29vRIujiES/gQ1DC7FV4zK4JuYE9v',
  'qDyGZQYjdXHLM7I6f/QnnOITL+dXYWBHRA==',
  '-----END EC PRIVATE KEY-----',
].join('\n');
/** One key of each kind that the venue has. */
export const KEYS = {
  main: { keyName: 'organizations/o/apiKeys/main', privateKey: SEC1_KEY },
  mirror: { keyName: 'organizations/o/apiKeys/mirror', privateKey: Buffer.alloc(32, 7).toString('base64') },
} as const;
export type AccountName = keyof typeof KEYS;
export const OPENING_MICRO = 10_000_000_000n;
export const HOUR_MS = 3_600_000;
export const BTC = 'BTC_USDC-PERPETUAL';
const NAMES = ['main', 'mirror'] as const;

export interface VenueStageOptions {
  readonly scale?: number;
  readonly tape?: MarketTape;
  readonly tier?: CoinbaseTier;
  /** A quiet market lets long times pass quickly. */
  readonly bookIntervalMs?: number;
  /** The adapter of main signs with this key. */
  readonly privateKey?: string;
  readonly options?: Readonly<Record<string, string | number | boolean>>;
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
  /** Methods of all calls so far, over either way. */
  readonly calls: string[] = [];
  readonly #sockets = new Map<number, { readonly account: AccountName; readonly key: string }>();
  #monotonicMs = 1_000;
  #requestId = 0;
  #socketId = 0;

  constructor(options: VenueStageOptions = {}) {
    this.scale = options.scale ?? 1;
    this.exchange = createExchange({
      venue: 'coinbase',
      markets: simulatedMarkets('coinbase', ['BTC', 'SOL']),
      accounts: NAMES.map((name) => ({ name, openingWalletMicro: OPENING_MICRO, leverage: 10 })),
      tape: options.tape ?? plainTape({ priceAt: () => 50_000 }),
      seed: 11,
      takerDelayMs: 20,
      makerDelayMs: 20,
      cancelDelayMs: 20,
      bookIntervalMs: options.bookIntervalMs ?? 250,
    });
    this.venue = simulatedCoinbase({
      exchange: this.exchange,
      accounts: NAMES.map((name) => ({
        name,
        keyName: KEYS[name].keyName,
        publicKey: publicKeyOf(platformKey('', KEYS[name].privateKey)),
        tier: options.tier ?? 'standard',
        leverage: 10,
      })),
      seed: 11,
      calendarScale: this.scale,
    });
    const open = (account: AccountName): VenueAdapter =>
      coinbaseAdapter({
        account,
        restUrl: 'http://venue',
        streamUrl: 'ws://venue',
        options: { ...options.options },
        secrets: { ...KEYS[account], ...(options.privateKey === undefined ? {} : { privateKey: options.privateKey }) },
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
      for (const account of NAMES) this.#take(account, this.streams[account].tick(this.at()));
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
    for (const frame of result.send) this.deliver(account, frame);
    if (result.reconnect === undefined || socketId === undefined) return;
    this.input({ type: 'socket-closed', socketId });
    this.#ended(socketId);
  }

  deliver(account: AccountName, frame: OutboundFrame): void {
    this.calls.push(methodOf(frame.text));
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

  connect(account: AccountName = 'main', symbols: readonly string[] = [BTC]): void {
    for (const plan of this.streams[account].plan(symbols)) {
      this.#socketId += 1;
      const socketId = this.#socketId;
      this.#sockets.set(socketId, { account, key: plan.key });
      const { pathname: path } = new URL(plan.url);
      this.input({ type: 'socket-requested', socketId, remote: '10.0.0.1', path, headers: plan.headers });
    }
  }

  /** Sends one request as it stands; undefined when no answer came. */
  send(request: Operation['request']): Extract<VenueOutput, { type: 'http-answer' }> | undefined {
    this.#requestId += 1;
    const { method, url, headers, body = '' } = request;
    if (body !== '') this.calls.push(methodOf(body));
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
  start(account: AccountName = 'main', symbols: readonly string[] = [BTC]): this {
    this.ask(this.adapters[account].instruments());
    this.connect(account, symbols);
    this.pass(300);
    return this;
  }

  /** Buys 0.01 BTC across the spread unless told otherwise. */
  order(
    change: Partial<Omit<OrderRequest, 'lots' | 'limitTicks'>> & { lots?: number; limitTicks?: number } = {},
  ): OrderRequest {
    const { lots = 100, limitTicks = 100_200, ...more } = change;
    return {
      clientOrderId: '1001',
      symbol: BTC,
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

  /** Sends a submission and lets the matching answer it; returns what the streams told meanwhile. */
  submit(plan: SubmissionPlan, account: AccountName = 'main', waitMs = 100): readonly VenueEvent[] {
    const before = this.told[account].length;
    const submission = plan.submit(undefined, this.at());
    if (submission.via === 'http') return this.ask(submission.operation);
    this.deliver(account, submission.frame);
    this.pass(waitMs);
    return this.told[account].slice(before);
  }

  place(change: Parameters<VenueStage['order']>[0] = {}, account: AccountName = 'main'): readonly VenueEvent[] {
    return this.submit(this.adapters[account].placeOrder(this.order(change), undefined, this.at()), account);
  }

  facts<Type extends VenueEvent['type']>(
    type: Type,
    account: AccountName = 'main',
  ): readonly Extract<VenueEvent, { type: Type }>[] {
    return eventsOf(this.told[account], type);
  }
}

function methodOf(text: string): string {
  return /"method":"([^"]*)"/.exec(text)?.[1] ?? text;
}

export function eventsOf<Type extends VenueEvent['type']>(
  events: readonly VenueEvent[],
  type: Type,
): readonly Extract<VenueEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<VenueEvent, { type: Type }> => event.type === type);
}
