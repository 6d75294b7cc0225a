/** One connector in virtual time between a simulated venue, a journal and probes that write down what they are told. Tests only. */
import { connector } from '../../actors/connector.ts';
import type { ConnectorArgs } from '../../actors/connector/state.ts';
import { connectorEventDelivery } from '../../actors/connector-messages.ts';
import type { ConnectorCommand, ConnectorEvent, OrderPurpose } from '../../actors/connector-messages.ts';
import { guard } from '../../actors/guard.ts';
import type { GuardMessage } from '../../actors/guard-messages.ts';
import { journal } from '../../actors/journal.ts';
import { journalDelivery } from '../../actors/journal-messages.ts';
import type { JournalMessage } from '../../actors/journal-messages.ts';
import type { QuantityLots, PriceTicks } from '../../src/money/units.ts';
import type { ConnectorPorts } from '../../src/ports/ports.ts';
import { runCpuTask } from '../../src/ports/cpu-tasks.ts';
import { SharedReads } from '../../src/ports/shared-reads.ts';
import type { Recorder } from '../../src/recording/recorder.ts';
import { refOf } from '../../src/runtime/actor.ts';
import type { ActorKind } from '../../src/runtime/actor.ts';
import type { AnyActorKind } from '../../src/runtime/kind-registry.ts';
import type { LogRecord } from '../../src/runtime/ports-context.ts';
import type { ActorInspection } from '../../src/runtime/snapshot.ts';
import type { VirtualSystem } from '../../src/runtime/system.ts';
import { startVirtual } from '../../src/runtime/virtual-system.ts';
import { buildVenue } from '../../src/simulation/build-venue.ts';
import type { BuiltVenue } from '../../src/simulation/build-venue.ts';
import { demoAccount } from '../../src/simulation/demo-accounts.ts';
import { fundingIntervalMs } from '../../src/simulation/markets.ts';
import { SimulatedDisk } from '../../src/simulation/simulated-disk.ts';
import { SimulatedNetwork } from '../../src/simulation/simulated-network.ts';
import { simulatedConnectorPorts, simulatedJournalPorts } from '../../src/simulation/simulated-ports.ts';
import type { AccountOracle, SimulatedVenue, VenueInput, VenueOutput } from '../../src/simulation/simulated-venue.ts';
import { hostsOf } from '../../src/venues/hosts.ts';
import type { Instant, OrderRequest } from '../../src/venues/venue.ts';
import { factsOf } from '../conformance/venues.ts';
import type { TestedVenue } from '../conformance/venues.ts';
import { plainTape, START_MS } from '../simulation/plain-tape.ts';

/** Half a second before a minute: no settlement falls into a short test by accident. */
export const WORLD_START_MS = START_MS + 600_500;

const POSITION = 'position/BTC';
const STRATEGY = 'strategy';
export type WorldVenue = TestedVenue;
const VALIDITY_MS = 5_000;
const FRAMES_KEPT = 500;

export interface WorldOptions {
  readonly venue?: WorldVenue;
  readonly seed?: number;
  readonly scale?: number;
  readonly startAtMs?: number;
  readonly args?: Partial<ConnectorArgs>;
  /** `deaf`: takes appends and answers only while `world.journalAnswers`. */
  readonly journal?: 'real' | 'deaf';
  /** Whether messages are frozen and copied on their way; true unless many worlds are run. */
  readonly checkIsolation?: boolean;
  /** What an earlier process left; empty when absent. */
  readonly disk?: SimulatedDisk;
  /** What is traded; BTC unless said otherwise, and always the first of it. */
  readonly bases?: readonly string[];
  /** Limits at the venue, known to both sides. */
  readonly limits?: 'standard' | 'premium';
  /** The market's price as a part of the venue's usual one; 1 always when absent. */
  readonly priceAt?: (calendarMs: number) => number;
  readonly depthQuote?: number;
  /** Listens at the connector's doors. */
  readonly recorder?: (nowMs: () => number) => Recorder;
  /** Options of the account that differ from the demo account's. */
  readonly account?: Readonly<Record<string, string | number | boolean>>;
}

export interface Heard {
  readonly event: ConnectorEvent;
  readonly atMs: number;
  /** Whether the fact's row was on disk when it was heard. */
  readonly isDurable: boolean;
}
export interface SeenRequest {
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
}

type EventOf<Type extends ConnectorEvent['type']> = Extract<ConnectorEvent, { type: Type }>;

export class ConnectorWorld {
  readonly system: VirtualSystem;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  readonly venue: BuiltVenue;
  readonly path: string;
  readonly symbol: string;
  readonly #facts: ReturnType<typeof factsOf>;
  readonly host: string;
  readonly scale: number;
  /** By probe path. */
  readonly heard = new Map<string, Heard[]>();
  /** What arrived at the venue. */
  readonly requests: SeenRequest[] = [];
  readonly socketTexts: SeenRequest[] = [];
  /** Handshakes asked for, by path. */
  readonly handshakes: SeenRequest[] = [];
  /** The latest frames the venue sent, newest last. */
  readonly frames: string[] = [];
  readonly appends: Extract<JournalMessage, { type: 'append-rows' }>[] = [];
  readonly logs: LogRecord[] = [];
  /** Kills asked of the guard. */
  readonly kills: Extract<GuardMessage, { type: 'kill' }>[] = [];
  /** Connectors gone for good, as the guard was told. */
  readonly left: Extract<GuardMessage, { type: 'connector-left' }>[] = [];
  /** Changes bodies of answers on their way to the connector. */
  damage: (path: string, body: string) => string = (_path, body) => body;
  /** The same for their headers. */
  damageHeaders: (headers: Readonly<Record<string, string>>) => Readonly<Record<string, string>> = (headers) => headers;
  journalAnswers = false;
  /** The market stands this far from its usual price. */
  priceFactor = 1;
  #lastOrder = 0;
  readonly #reads = new SharedReads();
  readonly #durable = new Set<string>();
  #rowsRead = 0;

  constructor(options: WorldOptions = {}) {
    const name = options.venue ?? 'extended';
    this.disk = options.disk ?? new SimulatedDisk();
    this.scale = options.scale ?? 1;
    this.path = `connector/${name}:main`;
    this.host = `${name}.test`;
    this.#facts = factsOf(name);
    this.symbol = this.#facts.symbol;
    const startAtMs = options.startAtMs ?? WORLD_START_MS;
    const { bases = ['BTC'], seed = 1, limits = name === 'lighter' ? 'premium' : 'standard' } = options;
    const account = demoAccount(name, 'main');
    const { restPath, streamPath, profileOptions } = hostsOf(name);
    const args: ConnectorArgs = {
      venue: name,
      account: 'main',
      settings: {
        account: 'main',
        restUrl: `http://${this.host}${restPath}`,
        streamUrl: `ws://${this.host}${streamPath}`,
        options: { ...account.options, ...profileOptions[limits], ...options.account },
        calendarScale: this.scale,
      },
      bases,
      subscribers: [{ path: STRATEGY }, { path: POSITION, bases: ['BTC'] }],
      observerPath: 'observer',
      journalPath: 'journal',
      startupQuarantineMs: 2_000,
      requestValidityMs: VALIDITY_MS,
      orderAnswerMs: 2_000,
      notFoundGraceMs: 3_000,
      clockWarnOffsetMs: 500,
      comparisonMs: 30_000,
      marketPollMs: 5_000,
      fundingPollMs: 10_000,
      publishMs: 5,
      // Most tests count what arrives at the venue.
      withoutDeadMan: true,
      gate: {
        maxOrderNotionalMicro: 50_000_000_000n,
        maxPositionNotionalMicro: 100_000_000_000n,
        maxOpenOrders: 20,
        maxOrdersPerSec: 20,
        priceCollarBps: 200,
        dailyLossMicro: 1_000_000_000n,
      },
      ...options.args,
    };
    const actor = (id: string, kind: string, thread: string) =>
      ({ type: 'actor', id, kind, args: {}, thread }) as const;
    this.system = startVirtual({
      tree: {
        type: 'supervisor',
        id: 'root',
        children: [
          { type: 'actor', id: 'journal', kind: 'journal', args: { guard: refOf('guard') }, thread: 'store' },
          actor('observer', 'probe', 'trading-0'),
          actor('guard', 'guard', 'trading-0'),
          actor(POSITION, 'probe', 'trading-0'),
          actor(STRATEGY, 'probe', 'trading-0'),
          { type: 'actor', id: this.path, kind: 'connector', args, thread: 'io-0', mailboxMessagesMax: 16_384 },
        ],
      },
      kinds: [
        connector,
        options.journal === 'deaf' ? this.#deafJournal() : journal,
        this.#probe(),
        this.#guard(),
      ] as AnyActorKind[],
      portsFor: (context) => {
        if (context.kind === 'connector') {
          const open = simulatedConnectorPorts({
            network: this.network,
            runTask: runCpuTask,
            calendarScale: this.scale,
            secretsOf: () => account.secrets,
            client: '127.0.0.1',
            reads: this.#reads,
          });
          const recorder = options.recorder?.(() => context.monotonicMs());
          if (recorder === undefined) return open(context);
          const deliver: typeof context.deliver = (message, cause) => {
            if (message.type.startsWith('http-') || message.type.startsWith('socket-'))
              recorder.heard(message as Parameters<Recorder['heard']>[0]);
            context.deliver(message, cause);
          };
          const ports = open({ ...context, deliver }) as ConnectorPorts & { dispose(): void };
          return { ...ports, ...recorder.tapped(ports) };
        }
        return context.kind === 'journal' && options.journal !== 'deaf'
          ? simulatedJournalPorts(this.disk)(context)
          : {};
      },
      calendar: { type: 'scaled', startAtMs, scale: this.scale },
      log: (record) => this.logs.push(record),
      seed,
      threads: [{ name: 'io-0' }, { name: 'store' }, { name: 'trading-0' }],
      checkIsolation: options.checkIsolation ?? true,
    });
    this.network = new SimulatedNetwork(this.system, { seed, startAtMs, scale: this.scale });
    this.venue = buildVenue(
      {
        venue: name,
        bases,
        accounts: [{ name: 'main', balance: 100_000 }],
        limits,
        seed,
        takerDelayMs: 20,
        makerDelayMs: 10,
        cancelDelayMs: 10,
        bookIntervalMs: 250,
        calendarScale: this.scale,
      },
      plainTape({
        priceAt: (calendarMs) => this.#facts.price * this.priceFactor * (options.priceAt?.(calendarMs) ?? 1),
        intervalMs: fundingIntervalMs(name),
        ...(options.depthQuote === undefined ? {} : { depthQuote: options.depthQuote }),
      }),
    );
    this.network.addVenue(this.host, this.#watched(this.venue.venue));
  }

  // Time.

  get nowMs(): number {
    return this.system.monotonicMs();
  }

  /** Runs until it is true; throws when that takes longer than `limitMs` of virtual time. */
  until(what: string, isTrue: () => boolean, limitMs = 30_000): void {
    const endMs = this.nowMs + limitMs;
    this.system.runWhile(() => !isTrue() && this.nowMs <= endMs);
    if (isTrue()) return;
    const digest = JSON.stringify(this.inspect().digest);
    throw new Error(`${what} must happen within ${limitMs} ms, the connector is ${digest}`);
  }

  run(durationMs: number): void {
    this.system.runUntil(this.nowMs + durationMs);
  }

  /** Runs until entries are allowed. */
  ready(): this {
    this.until('entries are allowed', () => this.status()?.entriesAllowed === true);
    return this;
  }

  // The venue.

  inject(fault: string, options: Readonly<Record<string, number | string | boolean>> = {}): void {
    this.network.poke(this.host, (venue) => venue.inject(fault, options));
  }

  /** The stream tells of no fills any more; everything else goes on. */
  swallowFills(): void {
    this.damage = (path, body) =>
      path === 'socket'
        ? body
            .replace('"type":"TRADE"', '"type":"LATER"')
            .replace('update/account_all_trades', 'later')
            .replace('"topic":"execution"', '"topic":"later"')
            .replace('"channel":"userFills"', '"channel":"later"')
            .replace('"channel":"user.trades.', '"channel":"later.')
            .replace(/"trades":\[\{.*?\}\]/, '"trades":[]')
        : body;
  }

  get oracle(): AccountOracle {
    const account = this.venue.venue.oracle().accounts.get('main');
    if (account === undefined) throw new Error('the venue must know the account main');
    return account;
  }

  ordersAtVenue(clientOrderId: string): readonly AccountOracle['orders'][number][] {
    return this.oracle.orders.filter((order) => order.clientOrderId === clientOrderId);
  }

  requestsSince(atMs: number, path = ''): readonly SeenRequest[] {
    return this.requests.filter((request) => request.atMs >= atMs && request.path.includes(path));
  }

  // Commands.

  tell(command: ConnectorCommand): void {
    this.system.tell(this.path, command);
  }

  /** An order that crosses the spread by 0.5 % unless told otherwise; one lot is worth about one quote unit. */
  order(
    change: Partial<Omit<OrderRequest, 'lots' | 'limitTicks'>> & { lots?: number; priceOffset?: number } = {},
  ): OrderRequest {
    this.#lastOrder += 1;
    const { lots = 1_000, side = 'buy', priceOffset = 0.005, ...more } = change;
    const price = this.#facts.price * (side === 'buy' ? 1 + priceOffset : 1 - priceOffset);
    return {
      clientOrderId: String(1_000 + this.#lastOrder),
      symbol: this.symbol,
      side,
      lots: lots as QuantityLots,
      limitTicks: Math.round(price * this.#facts.ticksPerQuote) as PriceTicks,
      timeInForce: 'ioc',
      postOnly: false,
      reduceOnly: false,
      validUntilMs: this.system.nowMs() + VALIDITY_MS * this.scale,
      ...more,
    };
  }

  send(order: OrderRequest, purpose: OrderPurpose['purpose'] = order.reduceOnly ? 'close' : 'open'): OrderRequest {
    const replyTo = refOf<ConnectorEvent>(POSITION);
    this.tell({ type: 'place-order', order, purpose: { pairId: 'p1', leg: 'long', purpose, attempt: 1 }, replyTo });
    return order;
  }

  place(change: Parameters<ConnectorWorld['order']>[0] = {}): OrderRequest {
    return this.send(this.order(change));
  }

  cancel(clientOrderId: string): void {
    this.tell({ type: 'cancel-order', symbol: this.symbol, clientOrderId, replyTo: refOf(POSITION) });
  }

  resolve(order: OrderRequest): void {
    const { symbol, clientOrderId, validUntilMs } = order;
    this.tell({ type: 'resolve-order', symbol, clientOrderId, validUntilMs, replyTo: refOf(POSITION) });
  }

  reconcile(reconcileId: number, sinceMs: number, orders: readonly OrderRequest[] = []): void {
    this.tell({
      type: 'reconcile-symbol',
      reconcileId,
      symbol: this.symbol,
      sinceMs,
      orders,
      replyTo: refOf(POSITION),
    });
  }

  // What was told.

  events<Type extends ConnectorEvent['type']>(type: Type, probe = POSITION): readonly EventOf<Type>[] {
    return (this.heard.get(probe) ?? []).flatMap(({ event }) => (event.type === type ? [event as EventOf<Type>] : []));
  }

  statuses(clientOrderId: string): readonly string[] {
    return this.events('order-changed')
      .filter((event) => event.clientOrderId === clientOrderId)
      .map((event) => event.status);
  }

  untilStatus(order: OrderRequest, status: string, limitMs?: number): void {
    this.until(
      `order ${order.clientOrderId} is ${status}`,
      () => this.statuses(order.clientOrderId).includes(status),
      limitMs,
    );
  }

  refusal(order: OrderRequest): EventOf<'order-changed'> {
    this.untilStatus(order, 'refused');
    const event = this.events('order-changed').find(
      ({ clientOrderId, status }) => clientOrderId === order.clientOrderId && status === 'refused',
    );
    if (event === undefined) throw new Error('the order must be refused');
    return event;
  }

  fills(): readonly EventOf<'fill-received'>[] {
    return this.events('fill-received');
  }

  status(): EventOf<'venue-status'> | undefined {
    return this.events('venue-status', STRATEGY).at(-1);
  }

  inspect(): ActorInspection {
    const inspection = this.system.inspect(this.path);
    if (inspection === undefined) throw new Error('the connector must be placed');
    return inspection;
  }

  count(name: string): number {
    return this.inspect().counters[name] ?? 0;
  }

  #probe(): ActorKind<unknown, Record<string, never>, ConnectorEvent> {
    return {
      kind: 'probe',
      delivery: connectorEventDelivery,
      start: () => ({}),
      receive: (state, event, self) => {
        const list = this.heard.get(self.path) ?? [];
        list.push({ event, atMs: self.monotonicMs(), isDurable: this.#isDurable(event) });
        this.heard.set(self.path, list);
        return state;
      },
    };
  }

  /** Takes notice of kills and says nothing by itself. */
  #guard(): ActorKind<unknown, Record<string, never>, GuardMessage> {
    return {
      kind: 'guard',
      delivery: guard.delivery,
      start: () => ({}),
      receive: (state, message) => {
        if (message.type === 'kill') this.kills.push(message);
        if (message.type === 'connector-left') this.left.push(message);
        return state;
      },
    };
  }

  #isDurable(event: ConnectorEvent): boolean {
    if (event.type !== 'order-changed' && event.type !== 'fill-received' && event.type !== 'funding-paid') return true;
    for (const row of this.disk.rowsAfter(this.#rowsRead)) {
      this.#rowsRead += 1;
      this.#durable.add(text(row.payload['event']));
    }
    return this.#durable.has(text(event));
  }

  #deafJournal(): ActorKind<unknown, Record<string, never>, JournalMessage> {
    return {
      kind: 'journal',
      delivery: journalDelivery,
      start: () => ({}),
      receive: (state, message, self) => {
        if (message.type !== 'append-rows') return state;
        this.appends.push(message);
        if (this.journalAnswers) for (const told of message.whenDurable) self.tell(told.to, told.message);
        return state;
      },
    };
  }

  #watched(venue: SimulatedVenue): SimulatedVenue {
    const paths = new Map<number, string>();
    return {
      venue: venue.venue,
      handle: (input: VenueInput, at: Instant): readonly VenueOutput[] => {
        if (input.type === 'http-request') {
          const path = questionOf(input.path, input.body);
          paths.set(input.requestId, path);
          this.requests.push({ atMs: at.monotonicMs, method: input.method, path });
        }
        if (input.type === 'socket-requested')
          this.handshakes.push({ atMs: at.monotonicMs, method: 'SOCKET', path: input.path });
        if (input.type === 'socket-text')
          this.socketTexts.push({ atMs: at.monotonicMs, method: 'SOCKET', path: input.text });
        return venue.handle(input, at).map((output) => {
          if (output.type === 'http-answer')
            return {
              ...output,
              headers: this.damageHeaders(output.headers),
              body: this.damage(paths.get(output.requestId) ?? '', output.body),
            };
          if (output.type !== 'socket-text') return output;
          const text = this.damage('socket', output.text);
          this.frames.push(text);
          if (this.frames.length > FRAMES_KEPT) this.frames.shift();
          return { ...output, text };
        });
      },
      nextWakeMs: () => venue.nextWakeMs(),
      oracle: () => venue.oracle(),
      inject: (fault, options) => venue.inject(fault, options),
    };
  }
}

/** One venue asks everything at one path: what it asks stands in the body. */
function questionOf(path: string, body: string): string {
  const said = path === '/info' ? /"type":"(\w+)"/ : path === '/api/v2' ? /"method":"([\w/]+)"/ : undefined;
  const type = said?.exec(body)?.[1];
  return type === undefined ? path : `${path}/${type}`;
}

/** The same for equal facts, whatever the order of their fields. */
function text(value: unknown): string {
  if (typeof value !== 'object' || value === null)
    return typeof value === 'bigint' ? `${value}n` : JSON.stringify(value);
  const fields = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${fields.map(([name, field]) => `${name}:${text(field)}`).join()}}`;
}
