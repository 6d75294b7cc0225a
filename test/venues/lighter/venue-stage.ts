/** The adapter and its stream against the simulated venue in memory, with one clock the test moves. */
import type { Exchange } from '../../../src/simulation/exchange.ts';
import { createExchange } from '../../../src/simulation/exchange-engine.ts';
import { simulatedMarkets } from '../../../src/simulation/markets.ts';
import type { SimulatedVenue, VenueOutput } from '../../../src/simulation/simulated-venue.ts';
import { lighterAdapter } from '../../../src/venues/lighter/adapter.ts';
import type { LighterTier } from '../../../src/venues/lighter/limits.ts';
import { lighterPublicKeyOf, runLighterSignTask } from '../../../src/venues/lighter/sign.ts';
import type { LighterSignInput } from '../../../src/venues/lighter/sign.ts';
import { simulatedLighter } from '../../../src/venues/lighter/simulated.ts';
import type {
  FrameResult,
  Instant,
  Operation,
  OrderRequest,
  SubmissionPlan,
  VenueAdapter,
  VenueEvent,
  VenueStream,
} from '../../../src/venues/venue.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';

const ORIGIN = 'http://lighter.test';
const PRIVATE_KEY = '0b8e0f63c24d8baacd9d29ad4e9a4b73c4a8d2bb8b16dc4fa9d7c2e1d3a8b1f0e8d3a4c5b6e7f001';
const ACCOUNT = 123_456;
const KEY_INDEX = 5;
const REMOTE = '127.0.0.1';
const STEP_MS = 50;
export const TAKER_DELAY_MS = 300;

export class VenueStage {
  readonly exchange: Exchange;
  readonly venue: SimulatedVenue;
  readonly adapter: VenueAdapter;
  readonly stream: VenueStream;
  /** Everything the stream reported, oldest first. */
  readonly events: VenueEvent[] = [];
  /** Answers with their arrival: kept back ones come late. */
  readonly #answers = new Map<number, Extract<VenueOutput, { type: 'http-answer' }>>();
  readonly #sockets = new Map<number, string>();
  readonly #scale: number;
  #monotonicMs = 10_000;
  #lastId = 0;
  #entropy = 0;

  constructor(
    options: {
      readonly tier?: LighterTier;
      readonly takerFeeTicks?: number;
      readonly scale?: number;
      /** What the adapter believes the scale to be, default the true one. */
      readonly adapterScale?: number;
      readonly symbols?: readonly string[];
    } = {},
  ) {
    const {
      tier = 'premium',
      takerFeeTicks = 280,
      scale = 1,
      adapterScale = scale,
      symbols = ['BTC', 'SOL'],
    } = options;
    this.#scale = scale;
    const markets = simulatedMarkets('lighter', symbols).map((market) => ({
      ...market,
      takerFee: (takerFeeTicks * 1e6) as typeof market.takerFee,
    }));
    this.exchange = createExchange({
      venue: 'lighter',
      markets,
      accounts: [{ name: 'main', openingWalletMicro: 100_000_000_000n, leverage: 5 }],
      tape: plainTape({ priceAt: () => 90_000 }),
      seed: 7,
      takerDelayMs: TAKER_DELAY_MS,
      makerDelayMs: 200,
      cancelDelayMs: 100,
      bookIntervalMs: 250,
    });
    this.venue = simulatedLighter({
      exchange: this.exchange,
      accounts: [
        {
          name: 'main',
          accountIndex: ACCOUNT,
          l1Address: '0x0000000000000000000000000000000000000001',
          apiKeys: [{ index: KEY_INDEX, publicKeyHex: lighterPublicKeyOf(PRIVATE_KEY) }],
          tier,
        },
      ],
      calendarScale: scale,
      seed: 7,
    });
    this.adapter = lighterAdapter({
      account: 'main',
      restUrl: ORIGIN,
      streamUrl: `${ORIGIN}/stream`,
      options: { accountIndex: ACCOUNT, apiKeyIndex: KEY_INDEX, tier },
      secrets: { privateKey: PRIVATE_KEY },
      calendarScale: adapterScale,
    });
    this.stream = this.adapter.openStream();
    this.pass(0);
  }

  now(): Instant {
    return { monotonicMs: this.#monotonicMs, calendarMs: START_MS + (this.#monotonicMs - 10_000) * this.#scale };
  }

  /** Reads the markets, opens the sockets and waits until the account is known. */
  connect(): void {
    this.run(this.adapter.instruments());
    for (const { key } of this.stream.plan(this.exchange.markets().map((market) => market.symbol))) this.#open(key);
    // Past the last batch of book frames, before the outside book moves again.
    this.pass(1_600);
  }

  /** Sends one operation and everything that follows from it; returns its events. Throws what it throws. */
  run(operation: Operation): VenueEvent[] {
    const events: VenueEvent[] = [];
    for (let next: Operation | undefined = operation; next !== undefined;) {
      const { request } = next;
      this.#lastId += 1;
      const requestId = this.#lastId;
      this.#handle({
        type: 'http-request',
        requestId,
        remote: REMOTE,
        method: request.method,
        path: request.url.slice(ORIGIN.length),
        headers: request.headers,
        body: request.body ?? '',
      });
      for (let waited = 0; waited < 5_000 && !this.#answers.has(requestId); waited += STEP_MS) this.pass(STEP_MS);
      const answer = this.#answers.get(requestId);
      if (answer === undefined) throw new Error(`${next.name} must be answered`);
      const { status, headers, body } = answer;
      const result = next.parse({ type: 'http-answered', ref: requestId, status, headers, body }, this.now());
      events.push(...result.events);
      next = result.next;
    }
    return events;
  }

  /** Signs and sends; returns the submission's id. */
  submit(plan: SubmissionPlan | undefined): string {
    if (plan === undefined) throw new Error('the adapter must have a plan for it');
    this.#entropy += 1;
    const signature =
      plan.sign === undefined
        ? undefined
        : runLighterSignTask(plan.sign.input as LighterSignInput, new Uint8Array(64).fill(this.#entropy));
    const submission = plan.submit(signature, this.now());
    if (submission.via !== 'socket') throw new Error('transactions go over the socket');
    this.#send(submission.frame.socketKey, submission.frame.text);
    return submission.submissionId;
  }

  order(change: Partial<OrderRequest>): OrderRequest {
    const mark = Number(this.exchange.stats('BTC').markNano) / 1e9;
    const side = change.side ?? 'buy';
    const base = {
      clientOrderId: '1',
      symbol: 'BTC',
      side,
      lots: 1_000,
      limitTicks: Math.round(mark * (side === 'buy' ? 10.05 : 9.95)),
      timeInForce: 'ioc',
      postOnly: false,
      reduceOnly: false,
      validUntilMs: this.now().calendarMs + 4_000 * this.#scale,
      ...change,
    };
    return base as OrderRequest;
  }

  nonce(): bigint {
    const [event] = this.adapter.nextNonce === undefined ? [] : this.run(this.adapter.nextNonce(this.now()));
    if (event?.type !== 'nonce') throw new Error('the venue states the next nonce');
    return event.next;
  }

  /** Reads the nonce, places, and lets the venue execute. */
  place(change: Partial<OrderRequest> = {}): string {
    const id = this.submit(this.adapter.placeOrder(this.order(change), this.nonce(), this.now()));
    this.pass(TAKER_DELAY_MS + 3 * STEP_MS);
    return id;
  }

  /** Lets time pass in small steps; frames are answered as they come. */
  pass(ms: number): void {
    const until = this.#monotonicMs + ms;
    do {
      this.#monotonicMs = Math.min(until, this.#monotonicMs + STEP_MS);
      this.#handle({ type: 'tick' });
      if (this.#monotonicMs % 500 === 0) this.#carryOut(this.stream.tick(this.now()));
    } while (this.#monotonicMs < until);
  }

  ofType<Type extends VenueEvent['type']>(type: Type): Extract<VenueEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<VenueEvent, { type: Type }> => event.type === type);
  }

  #open(key: string): void {
    this.#lastId += 1;
    const socketId = this.#lastId;
    this.#sockets.set(socketId, key);
    this.#handle({ type: 'socket-requested', socketId, remote: REMOTE, path: '/stream', headers: {} });
    this.#carryOut(this.stream.opened(key, this.now()));
  }

  #send(key: string, text: string): void {
    for (const [socketId, socketKey] of this.#sockets) {
      if (socketKey === key) this.#handle({ type: 'socket-text', socketId, text });
    }
  }

  #handle(input: Parameters<SimulatedVenue['handle']>[0]): void {
    for (const output of this.venue.handle(input, this.now())) {
      if (output.type === 'http-answer') this.#answers.set(output.requestId, output);
      const key = 'socketId' in output ? this.#sockets.get(output.socketId) : undefined;
      if (output.type === 'socket-text' && key !== undefined) {
        this.#carryOut(this.stream.frame(key, output.text, this.now()));
      } else if (output.type === 'socket-close' && key !== undefined) {
        this.#sockets.delete(output.socketId);
        this.events.push(...this.stream.closed(key, this.now()));
        this.#open(key);
      }
    }
  }

  #carryOut(result: FrameResult): void {
    this.events.push(...result.events);
    for (const frame of result.send) this.#send(frame.socketKey, frame.text);
  }
}
