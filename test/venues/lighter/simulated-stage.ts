/** A simulated Lighter venue spoken to directly: signed transactions, tokens, frames, and one clock that the test moves. */
import type { Instrument } from '../../../src/market/instrument.ts';
import type { MicroUnits, PicoRate, QuantityLots } from '../../../src/money/units.ts';
import { createExchange } from '../../../src/simulation/exchange-engine.ts';
import type { Exchange } from '../../../src/simulation/exchange.ts';
import type { MarketTape } from '../../../src/simulation/market-tape.ts';
import type { SimulatedVenue, VenueInput, VenueOutput } from '../../../src/simulation/simulated-venue.ts';
import {
  authToken,
  authTokenMessage,
  lighterPublicKeyOf,
  runLighterSignTask,
} from '../../../src/venues/lighter/sign.ts';
import { simulatedLighter } from '../../../src/venues/lighter/simulated.ts';
import type { Instant } from '../../../src/venues/venue.ts';
import { plainTape, START_MS } from '../../simulation/plain-tape.ts';

export const ACCOUNT_INDEX = 12_345;
export const API_KEY_INDEX = 4;
export const PRIVATE_KEY = '0b8e0f63c24d8baacd9d29ad4e9a4b73c4a8d2bb8b16dc4fa9d7c2e1d3a8b1f0e8d3a4c5b6e7f001';
const OTHER_KEY = '4980df1a5a76cba9fef4d80446e951108e16a5b21f497976475c950bd2588c5a58771d5b06498d28';
export const OTHER_INDEX = 54_321;
export const REMOTE = '10.0.0.1';

const publicKeys = new Map([PRIVATE_KEY, OTHER_KEY].map((key) => [key, lighterPublicKeyOf(key)]));
export const PUBLIC_KEY = publicKeys.get(PRIVATE_KEY) ?? '';

export function market(symbol: string, change: Partial<Instrument> = {}): Instrument {
  return {
    venue: 'lighter',
    symbol,
    base: symbol,
    quote: 'USDC',
    multiplier: 1,
    priceDecimals: symbol === 'BTC' ? 1 : 3,
    tickUnits: 1,
    quantityDecimals: symbol === 'BTC' ? 5 : 3,
    lotUnits: 1,
    minQuantityLots: 20 as QuantityLots,
    minNotionalMicro: 10_000_000n as MicroUnits,
    maxNotionalMicro: 281_474_976_710_655n as MicroUnits,
    maxLeverage: 20,
    maintenanceMarginRate: 12_000_000_000 as PicoRate,
    makerFee: 28_000_000 as PicoRate,
    takerFee: 280_000_000 as PicoRate,
    fundingIntervalMs: 3_600_000,
    fundingPrice: 'mark',
    status: 'active',
    priceBand: 50_000_000_000 as PicoRate,
    ...change,
  };
}

export interface StageOptions {
  readonly tier?: 'standard' | 'premium';
  readonly scale?: number;
  readonly tape?: MarketTape;
  readonly chainId?: number;
  readonly markets?: readonly Instrument[];
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Json;
}
/** Parsed JSON, for reading only. */
export type Json = Readonly<Record<string, unknown>>;

/** What a transaction is made of; `secret` and `chainId` are how it is signed, not what it says. */
export interface TransactionChange {
  readonly type?: number;
  readonly fields?: Readonly<Record<string, number | bigint>>;
  readonly attributes?: Readonly<Record<string, number>>;
  readonly nonce?: number;
  readonly expiredAt?: number;
  readonly accountIndex?: number;
  readonly apiKeyIndex?: number;
  readonly secret?: string;
  readonly chainId?: number;
}

export interface Signed {
  readonly type: number;
  readonly info: string;
  readonly hash: string;
}

const LIMIT_IOC = {
  MarketIndex: 0,
  ClientOrderIndex: 1_001,
  BaseAmount: 1_000,
  Price: 905_000,
  IsAsk: 0,
  Type: 0,
  TimeInForce: 0,
  ReduceOnly: 0,
  TriggerPrice: 0,
  OrderExpiry: 0,
};
/** Room of ExpiredAt, calendar ms. */
const VALID_MS = 599_000;

export class SimulatedStage {
  readonly venue: SimulatedVenue;
  readonly exchange: Exchange;
  readonly scale: number;
  /** Everything ever sent on each socket, as text. */
  readonly sent = new Map<number, string[]>();
  /** Why sockets were closed. */
  readonly closed = new Map<number, number>();
  nonce = 0;
  #monotonicMs = 1_000;
  #requestId = 0;
  #entropy = 1;

  constructor(options: StageOptions = {}) {
    this.scale = options.scale ?? 1;
    const tier = options.tier ?? 'premium';
    this.exchange = createExchange({
      venue: 'lighter',
      markets: options.markets ?? [market('BTC'), market('SOL')],
      accounts: [
        { name: 'main', openingWalletMicro: 10_000_000_000n, leverage: 5 },
        { name: 'other', openingWalletMicro: 10_000_000_000n, leverage: 5 },
      ],
      tape: options.tape ?? plainTape({ priceAt: () => 90_000 }),
      seed: 11,
      takerDelayMs: 300,
      makerDelayMs: 200,
      cancelDelayMs: 200,
      bookIntervalMs: 250,
    });
    const account = (
      name: string,
      accountIndex: number,
      key: string,
    ): Parameters<typeof simulatedLighter>[0]['accounts'][number] => ({
      name,
      accountIndex,
      l1Address: `0x${name}`,
      apiKeys: [{ index: API_KEY_INDEX, publicKeyHex: publicKeys.get(key) ?? '' }],
      tier,
    });
    this.venue = simulatedLighter({
      exchange: this.exchange,
      accounts: [account('main', ACCOUNT_INDEX, PRIVATE_KEY), account('other', OTHER_INDEX, OTHER_KEY)],
      calendarScale: this.scale,
      seed: 11,
      ...(options.chainId === undefined ? {} : { chainId: options.chainId }),
    });
    this.input({ type: 'tick' });
  }

  at(): Instant {
    return { calendarMs: START_MS + (this.#monotonicMs - 1_000) * this.scale, monotonicMs: this.#monotonicMs };
  }

  /** Hands one input to the venue and notes what the sockets got. */
  input(input: VenueInput): readonly VenueOutput[] {
    const outputs = this.venue.handle(input, this.at());
    for (const output of outputs) {
      if (output.type === 'socket-text')
        this.sent.set(output.socketId, [...this.#sentOn(output.socketId), output.text]);
      if (output.type === 'socket-close') this.closed.set(output.socketId, output.code);
    }
    return outputs;
  }

  #sentOn(socketId: number): readonly string[] {
    return this.sent.get(socketId) ?? [];
  }

  /** Lets time pass as a host would: whenever the venue wants to be woken, and at the end. */
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
  }

  /** Jumps without waking the venue in between. */
  jump(ms: number): void {
    this.#monotonicMs += ms;
    this.input({ type: 'tick' });
  }

  request(method: string, path: string, body = '', headers: Record<string, string> = {}): Answer | undefined {
    this.#requestId += 1;
    const requestId = this.#requestId;
    const outputs = this.input({ type: 'http-request', requestId, remote: REMOTE, method, path, headers, body });
    const answer = outputs.find((output) => output.type === 'http-answer' && output.requestId === requestId);
    if (answer?.type !== 'http-answer') return undefined;
    return { status: answer.status, text: answer.body, body: JSON.parse(answer.body) as Json };
  }

  /** An anonymous GET under the API prefix; `token` makes it a private one. */
  get(path: string, token?: string): Answer {
    const answer = this.request('GET', `/api/v1/${path}`, '', token === undefined ? {} : { authorization: token });
    if (answer === undefined) throw new Error(`${path} must be answered`);
    return answer;
  }

  token(change: { deadlineMs?: number; accountIndex?: number; apiKeyIndex?: number; secret?: string } = {}): string {
    const deadlineMs = change.deadlineMs ?? this.at().calendarMs + 3_600_000;
    const message = authTokenMessage(
      deadlineMs,
      change.accountIndex ?? ACCOUNT_INDEX,
      change.apiKeyIndex ?? API_KEY_INDEX,
    );
    return authToken(change.secret ?? PRIVATE_KEY, message);
  }

  /** A private GET of the main account. */
  own(endpoint: string, more = ''): Answer {
    return this.get(`${endpoint}?account_index=${ACCOUNT_INDEX}${more}`, this.token());
  }

  /** Signs an immediate limit order, or whatever `change` makes of it. */
  sign(change: TransactionChange = {}): Signed {
    const type = change.type ?? 14;
    const entropy = new Uint8Array(48);
    entropy[0] = this.#entropy % 256;
    entropy[1] = this.#entropy >> 8;
    this.#entropy += 1;
    const { txInfo, txHash } = runLighterSignTask(
      {
        privateKey: change.secret ?? PRIVATE_KEY,
        chainId: change.chainId ?? 304,
        transaction: {
          type,
          accountIndex: change.accountIndex ?? ACCOUNT_INDEX,
          apiKeyIndex: change.apiKeyIndex ?? API_KEY_INDEX,
          nonce: change.nonce ?? this.nonce,
          expiredAt: change.expiredAt ?? Math.floor(this.at().calendarMs) + VALID_MS * this.scale,
          fields: type === 14 ? { ...LIMIT_IOC, ...change.fields } : (change.fields ?? {}),
          ...(change.attributes === undefined ? {} : { attributes: change.attributes }),
        },
      },
      entropy,
    );
    return { type, info: txInfo, hash: txHash };
  }

  post(signed: Signed): Answer | undefined {
    const answer = this.request(
      'POST',
      '/api/v1/sendTx',
      new URLSearchParams({ tx_type: String(signed.type), tx_info: signed.info }).toString(),
    );
    if (answer?.status === 200) this.nonce += 1;
    return answer;
  }

  postBatch(signed: readonly Signed[], types: readonly number[] = signed.map(({ type }) => type)): Answer | undefined {
    const form = { tx_types: JSON.stringify(types), tx_infos: JSON.stringify(signed.map(({ info }) => info)) };
    const answer = this.request('POST', '/api/v1/sendTxBatch', new URLSearchParams(form).toString());
    if (answer?.status === 200) this.nonce += signed.length;
    return answer;
  }

  /** Signs and posts; returns the code of the answer. */
  submit(change: TransactionChange = {}): unknown {
    return this.post(this.sign(change))?.body['code'];
  }

  open(socketId = 1, path = '/stream'): readonly VenueOutput[] {
    return this.input({ type: 'socket-requested', socketId, remote: REMOTE, path, headers: {} });
  }

  say(message: unknown, socketId = 1): void {
    this.input({
      type: 'socket-text',
      socketId,
      text: typeof message === 'string' ? message : JSON.stringify(message),
    });
  }

  /** Sends a signed transaction over the socket, big integers as they were signed. */
  sendTx(signed: Signed, socketId = 1, id = 'a'): void {
    this.say(
      `{"type":"jsonapi/sendtx","data":{"id":"${id}","tx_type":${signed.type},"tx_info":${signed.info}}}`,
      socketId,
    );
  }

  subscribe(channel: string, auth?: string, socketId = 1): void {
    this.say({ type: 'subscribe', channel, ...(auth === undefined ? {} : { auth }) }, socketId);
  }

  /** Opens a socket, subscribes and waits for the first frames; private channels with a token. */
  listen(channels: readonly string[], socketId = 1): void {
    this.open(socketId);
    for (const channel of channels) this.subscribe(channel, this.token(), socketId);
    this.pass(20);
  }

  /** Parsed frames of a type since the start, or all. */
  frames(type?: string, socketId = 1): readonly Json[] {
    const all = this.#sentOn(socketId).flatMap((text) => {
      try {
        return [JSON.parse(text) as Json];
      } catch {
        return [];
      }
    });
    return type === undefined ? all : all.filter((frame) => frame['type'] === type);
  }

  errors(socketId = 1): readonly unknown[] {
    return this.frames(undefined, socketId).flatMap(({ error }) =>
      error === undefined ? [] : [(error as Json)['code']],
    );
  }
}
