/** Plays damaged frames and answers to a venue's readers. Seeds come from the venue's own twin: no recording is needed. Tests only. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { PriceTicks, QuantityLots } from '../../src/money/units.ts';
import { runCpuTask } from '../../src/ports/cpu-tasks.ts';
import type { RandomStream } from '../../src/runtime/actor.ts';
import { randomStream } from '../../src/runtime/random.ts';
import { buildVenue } from '../../src/simulation/build-venue.ts';
import type { BuiltVenue } from '../../src/simulation/build-venue.ts';
import { fundingIntervalMs } from '../../src/simulation/markets.ts';
import type { VenueOutput } from '../../src/simulation/simulated-venue.ts';
import { hostsOf } from '../../src/venues/hosts.ts';
import { openVenue } from '../../src/venues/registry.ts';
import { MalformedPayload, VenueError } from '../../src/venues/venue.ts';
import type { Instant, Operation, VenueAdapter, VenueStream } from '../../src/venues/venue.ts';
import { plainTape, START_MS } from '../simulation/plain-tape.ts';
import { mutated } from './mutations.ts';
import { accountOf, factsOf, venueOf } from './venues.ts';
import type { TestedVenue } from './venues.ts';

/** One reader of a venue's bytes with texts it is meant to read. */
export interface FuzzSubject {
  readonly name: string;
  readonly seeds: readonly string[];
  /** Throws when the reader let anything escape but a typed error. */
  readonly read: (text: string) => void;
}

const REST = 'http://venue.test';
const STREAM = 'ws://venue.test';
const FIXTURES = join(import.meta.dirname, '..', '..', '..', 'shared', 'venues', 'fixtures');
const FIXTURE_BYTES_MAX = 60_000;

/** Every reader of one venue: its stream, socket by socket, and each question of its adapter. */
export function fuzzSubjects(venue: TestedVenue): readonly FuzzSubject[] {
  const twin = new Twin(venue);
  const frames = twin.frames();
  const fixtures = recorded(venueOf(venue).venue);
  const streams = [...frames].map(([socketKey, seeds]): FuzzSubject => {
    const stream = twin.freshStream();
    return {
      name: `frames of ${socketKey}`,
      seeds: [...seeds, ...fixtures('ws')],
      read: (text) => {
        const { reconnect } = stream.frame(socketKey, text, twin.at);
        stream.book(twin.symbol);
        if (reconnect === undefined) return;
        stream.closed(socketKey, twin.at);
        stream.opened(socketKey, twin.at);
      },
    };
  });
  const answers = twin.questions().map(([operation, body]): FuzzSubject => {
    const statuses = [200, 200, 200, 200, 400, 429, 503];
    let next = 0;
    return {
      name: `answer of ${operation.name}`,
      seeds: [body],
      read: (text) => {
        next += 1;
        const status = statuses[next % statuses.length] ?? 200;
        try {
          operation.parse({ type: 'http-answered', ref: 1, status, headers: {}, body: text }, twin.at);
        } catch (error) {
          if (!(error instanceof MalformedPayload || error instanceof VenueError)) throw error;
        }
      },
    };
  });
  // A reader of answers must also survive answers to other questions.
  const foreign = fixtures('rest', 'info', 'exchange');
  return [
    ...streams,
    ...answers.map((subject) => ({ ...subject, seeds: [...subject.seeds, ...foreign.slice(0, 40)] })),
  ];
}

/** Whether a text means something to one of the venue's readers. Throws when anything but a typed error escapes it. */
export type Reads = (text: string) => boolean;

/** All readers of a venue by what they read: each socket of its stream, and each question of its adapter. */
export function readersOf(venue: TestedVenue): {
  readonly frames: readonly Reads[];
  readonly answers: readonly Reads[];
} {
  const twin = new Twin(venue);
  const frames = [...twin.frames().keys()].map((socketKey): Reads => {
    return (text) =>
      !twin
        .freshStream()
        .frame(socketKey, text, twin.at)
        .events.some(({ type }) => type === 'malformed-frame');
  });
  const answers = [...twin.questions().map(([operation]) => operation), ...twin.changes()].map((operation): Reads => {
    return (body) => {
      try {
        operation.parse({ type: 'http-answered', ref: 1, status: 200, headers: {}, body }, twin.at);
        return true;
      } catch (error) {
        if (error instanceof MalformedPayload) return false;
        // Said in the venue's own words: understood.
        if (error instanceof VenueError) return true;
        throw error;
      }
    };
  });
  return { frames, answers };
}

/** What an input cost and said. */
export interface FuzzFailure {
  readonly subject: string;
  readonly input: string;
  readonly error: unknown;
}

/** Plays so many damaged texts to a reader and returns the first thing that escaped it. `measured` hears what each input took. */
export function fuzz(
  subject: FuzzSubject,
  inputs: number,
  seed: number,
  measured?: (input: string, ns: number) => void,
): FuzzFailure | undefined {
  const random: RandomStream = randomStream(seed, subject.name);
  for (let round = 0; round < inputs; round++) {
    const text = subject.seeds[Math.floor(random.nextFraction() * subject.seeds.length)] ?? '';
    const input = mutated(text, random);
    const startedAt = process.hrtime.bigint();
    try {
      subject.read(input);
    } catch (error) {
      return { subject: subject.name, input: input.slice(0, 2_000), error };
    }
    measured?.(input, Number(process.hrtime.bigint() - startedAt));
  }
  return undefined;
}

/** Texts of the venue's recorded payloads by the kinds their names begin with; none where the recordings are absent. */
function recorded(venue: string): (...kinds: readonly string[]) => readonly string[] {
  const texts: (readonly [name: string, text: string])[] = [];
  const walk = (folder: string, prefix: string): void => {
    for (const entry of readdirSync(folder)) {
      const path = join(folder, entry);
      if (statSync(path).isDirectory()) walk(path, entry);
      else if (entry.endsWith('.json') && statSync(path).size < FIXTURE_BYTES_MAX)
        texts.push([prefix === '' ? entry : prefix, readFileSync(path, 'utf8')]);
    }
  };
  try {
    walk(join(FIXTURES, venue), '');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  return (...kinds) => texts.filter(([name]) => kinds.some((kind) => name.startsWith(kind))).map(([, text]) => text);
}

/** A venue with an account that has traded, asked by hand: no connector, no network. */
class Twin {
  readonly symbol: string;
  readonly #adapter: VenueAdapter;
  readonly #built: BuiltVenue;
  readonly #facts: ReturnType<typeof factsOf>;
  #nowMs = 0;
  #lastId = 0;

  constructor(tested: TestedVenue) {
    const facts = factsOf(tested);
    this.#facts = facts;
    const { venue, accountType } = venueOf(tested);
    this.symbol = facts.symbol;
    const { options, secrets } = accountOf(tested);
    const { restPath, streamPath, profileOptions } = hostsOf(venue);
    this.#adapter = openVenue(venue, {
      account: 'main',
      restUrl: REST + restPath,
      streamUrl: STREAM + streamPath,
      options: { ...options, ...profileOptions.premium },
      secrets,
      calendarScale: 1,
    });
    const delays = { takerDelayMs: 0, makerDelayMs: 0, cancelDelayMs: 0, bookIntervalMs: 100 };
    const accounts = [{ name: 'main', balance: 100_000 }];
    this.#built = buildVenue(
      { venue, accountType, bases: ['BTC'], accounts, limits: 'premium', seed: 1, calendarScale: 1, ...delays },
      plainTape({ priceAt: () => facts.price, intervalMs: fundingIntervalMs(venue) }),
    );
    this.#pass(100);
    this.#ask(this.#adapter.instruments());
    this.#trade();
  }

  get at(): Instant {
    return { monotonicMs: this.#nowMs, calendarMs: START_MS + 600_000 + this.#nowMs };
  }

  /** Each question with what the twin answers it. */
  questions(): readonly (readonly [Operation, string])[] {
    const adapter = this.#adapter;
    const { at, symbol } = this;
    const dayMs = 86_400_000;
    const questions = [
      adapter.serverTime(),
      adapter.instruments(),
      ...adapter.accountSnapshot(at),
      adapter.feeTier(at),
      ...adapter.findOrder(symbol, '1001', at),
      adapter.fillsSince(at.calendarMs - dayMs, at),
      adapter.fundingPaymentsSince(at.calendarMs - dayMs, at),
      adapter.fundingHistory(symbol, at.calendarMs - dayMs, at),
      ...(adapter.marketPoll === undefined ? [] : [adapter.marketPoll(at)]),
      ...(adapter.nextNonce === undefined ? [] : [adapter.nextNonce(at)]),
      ...(adapter.keyRights === undefined ? [] : [adapter.keyRights(at)]),
      ...adapter.leverageOf([symbol], at),
    ];
    return questions.map((operation) => [operation, this.#ask(operation)] as const);
  }

  /** What changes something over HTTP: an order, a cancel, the leverage. */
  changes(): readonly Operation[] {
    const { at, symbol } = this;
    const order = {
      clientOrderId: '2001',
      symbol,
      side: 'buy',
      lots: 500 as QuantityLots,
      limitTicks: 1_000 as PriceTicks,
      timeInForce: 'ioc',
      postOnly: false,
      reduceOnly: false,
      validUntilMs: at.calendarMs + 10_000,
    } as const;
    const nonce = this.#adapter.usesNonces ? 1n : undefined;
    const plans = [
      this.#adapter.placeOrder(order, nonce, at),
      this.#adapter.cancelOrder({ symbol, clientOrderId: '2001', venueOrderId: '1' }, nonce, at),
      ...(this.#adapter.setLeverage === undefined ? [] : [this.#adapter.setLeverage(symbol, 2, nonce, at)]),
    ];
    const entropy = new Uint8Array(64).fill(1);
    return plans.flatMap((plan) => {
      const { sign } = plan;
      const made = plan.submit(sign === undefined ? undefined : runCpuTask(sign.task, sign.input, entropy), at);
      return made.via === 'http' ? [made.operation] : [];
    });
  }

  /** Frames by socket, as heard over some seconds with an order in between. */
  frames(): ReadonlyMap<string, readonly string[]> {
    const heard = new Map<string, string[]>();
    const stream = this.#adapter.openStream();
    const keys = new Map<number, string>();
    const carry = (outputs: readonly VenueOutput[]): void => {
      for (const output of outputs) {
        if (output.type === 'socket-accept') send(stream.opened(keys.get(output.socketId) ?? '', this.at).send);
        if (output.type !== 'socket-text') continue;
        const key = keys.get(output.socketId) ?? '';
        const texts = heard.get(key) ?? [];
        texts.push(output.text);
        heard.set(key, texts);
        send(stream.frame(key, output.text, this.at).send);
      }
    };
    const send = (frames: readonly { readonly socketKey: string; readonly text: string }[]): void => {
      for (const { socketKey, text } of frames)
        for (const [socketId, key] of keys)
          if (key === socketKey) carry(this.#built.venue.handle({ type: 'socket-text', socketId, text }, this.at));
    };
    for (const { key, url, headers } of stream.plan([this.symbol])) {
      this.#lastId += 1;
      keys.set(this.#lastId, key);
      const { host, pathname, search } = new URL(url);
      const lowered = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
      const knock = { type: 'socket-requested', socketId: this.#lastId, remote: '1', path: pathname + search } as const;
      carry(this.#built.venue.handle({ ...knock, headers: { host, ...lowered } }, this.at));
    }
    for (let step = 0; step < 40; step++) {
      if (step % 10 === 5) this.#built.exchange.forceTrade('main', this.symbol, step % 20 === 5 ? 300 : -300, this.at);
      this.#nowMs += 250;
      carry(this.#built.venue.handle({ type: 'tick' }, this.at));
      send(stream.tick(this.at).send);
    }
    return new Map([...heard].map(([key, texts]) => [key, [...new Set(texts)].slice(-60)]));
  }

  /** A stream as after its sockets opened. */
  freshStream(): VenueStream {
    const stream = this.#adapter.openStream();
    for (const { key } of stream.plan([this.symbol])) stream.opened(key, this.at);
    return stream;
  }

  #trade(): void {
    const { price, ticksPerQuote } = this.#facts;
    const order = {
      account: 'main',
      symbol: this.symbol,
      side: 'buy',
      lots: 500,
      postOnly: false,
      reduceOnly: false,
      validUntilMs: this.at.calendarMs + 600_000,
    } as const;
    const at = (factor: number): number => Math.round(price * factor * ticksPerQuote);
    const { exchange } = this.#built;
    exchange.submit({ ...order, clientOrderId: '1001', limitTicks: at(1.005), timeInForce: 'ioc' }, this.at);
    exchange.submit({ ...order, clientOrderId: '1002', limitTicks: at(0.99), timeInForce: 'gtc' }, this.at);
    this.#pass(2_000);
    // Over a settlement, so that there are payments.
    this.#pass(9 * 3_600_000);
  }

  #pass(ms: number): void {
    this.#nowMs += ms;
    this.#built.venue.handle({ type: 'tick' }, this.at);
  }

  #ask(operation: Operation): string {
    const { method, url, headers, body = '' } = operation.requestAt?.(this.at) ?? operation.request;
    this.#lastId += 1;
    const { host, pathname, search } = new URL(url);
    const lowered = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const request = {
      type: 'http-request',
      requestId: this.#lastId,
      remote: '1',
      method,
      body,
      headers: { host, ...lowered },
    } as const;
    const outputs = this.#built.venue.handle({ ...request, path: pathname + search }, this.at);
    const answer = outputs.find((output) => output.type === 'http-answer');
    if (answer?.type !== 'http-answer' || answer.status !== 200)
      throw new Error(`${operation.name} must be answered, was ${JSON.stringify(answer)}`);
    operation.parse({ ...answer, type: 'http-answered', ref: 1 }, this.at);
    return answer.body;
  }
}
