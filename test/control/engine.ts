/** An engine with fixed answers, and a control server in front of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startControlServer } from '../../src/control/control-server.ts';
import type { ControlServer, ControlServerOptions } from '../../src/control/control-server.ts';
import { loadControlToken } from '../../src/control/control-token.ts';
import type { Inspectable } from '../../src/control/inspectable.ts';
import type { TradingSummary } from '../../actors/observer.ts';
import { MetricHistory } from '../../src/observe/history.ts';
import { createRedactor } from '../../src/observe/redact.ts';
import type { MessageShape } from '../../src/runtime/actor.ts';
import type { Trace } from '../../src/runtime/trace-store.ts';
import type { ActorInspection, ActorSnapshot, MailboxView, SystemSnapshot } from '../../src/runtime/snapshot.ts';

const candidate = (base: string, longVenue: string, shortVenue: string, netAprPct: number, verdict: string) => ({
  ...{ base, longVenue, shortVenue, verdict, netAprPct },
  detail: `${verdict} in words`,
  expectedValueQuote: 0,
});

/** What the observer would answer, its monitor having found one fee wrong: ETH could be traded in two directions, of BTC only the pair is known. */
export const SUMMARY: TradingSummary = {
  engine: { state: 'TRADING', reason: 'operator', flatten: false },
  venues: [],
  pairs: [
    {
      base: 'BTC',
      phase: 'IDLE',
      pairId: '',
      reason: 'SETTLE_WINDOW',
      openedAtMs: 0,
      closedAtMs: 0,
      fundingMicro: 0n,
      feesMicro: 0n,
      realisedMicro: 0n,
      fundingPayments: 0,
      liveOrders: 0,
      drained: false,
      cooldownUntilMs: 0,
      closedPairs: 0,
      closedNetMicro: 0n,
      closedFundingMicro: 0n,
      notionalMicro: 0n,
      exposureQuoteSec: 0,
    },
  ],
  opportunities: {
    atMs: 1_767_225_600_000,
    candidates: [
      candidate('ETH', 'extended', 'lighter', -12, 'CARRY_TOO_SMALL'),
      candidate('ETH', 'lighter', 'extended', 12, 'TREND'),
    ],
    refusals: { TREND: 3, CARRY_TOO_SMALL: 5 },
  },
  identities: {
    rows: 42,
    isCaughtUp: true,
    comparisons: 7,
    broken: [
      {
        identity: 'LEG_FEES',
        subject: 'lighter:main:BTC',
        expected: '-5',
        got: '-6',
        atMs: 1_767_225_600_000,
        isAcknowledged: false,
      },
    ],
    wallets: [{ venue: 'lighter', account: 'main', unexplainedMicro: -1n }],
    closedPairs: [],
  },
  totals: {
    openPairs: 0,
    closedPairs: 0,
    netMicro: 0n,
    closedNetMicro: 0n,
    fundingMicro: 0n,
    openNotionalMicro: 0n,
    liveOrders: 0,
  },
};

export function actorSnapshot(path: string, fields: Partial<ActorSnapshot> = {}): ActorSnapshot {
  return {
    path,
    kind: path.split('/')[0] ?? path,
    thread: 'trading-0',
    status: 'running',
    incarnation: 1,
    restarts: 0,
    mailbox: {
      depth: { system: 0, risk: 0, order: 1, normal: 0, state: 0, market: 2 },
      depthTotal: 3,
      highWaterMark: 9,
      oldestAgeMs: 1.5,
      accepted: 100,
      processed: 97,
      merged: 4,
      evicted: 0,
      refused: 0,
    },
    handler: { count: 97, totalMs: 3, maxMs: 1, p50Ms: 0.02, p99Ms: 0.5 },
    queueTime: { count: 97, totalMs: 9, maxMs: 2, p50Ms: 0.05, p99Ms: 1.25 },
    ratePerSecond: 12.5,
    counters: { 'rows-repeated': 1 },
    deadLetters: 0,
    ...fields,
  };
}

export const SNAPSHOT: SystemSnapshot = {
  actors: [
    actorSnapshot('journal', { thread: 'store' }),
    actorSnapshot('position/BTC', { restarts: 2, incarnation: 3, lastFailure: 'boom apiKey=canary-secret-1' }),
    actorSnapshot('connector/lighter:main', { thread: 'io-0', status: 'restarting' }),
  ],
  supervisors: [
    supervisor('root', ['journal', 'venues', 'trading']),
    supervisor('venues', ['connector/lighter:main']),
    supervisor('trading', ['position/BTC']),
  ],
  threads: [
    {
      name: 'store',
      incarnation: 1,
      status: 'running',
      loopDelay: { p50Ms: 1, p99Ms: 2, maxMs: 3 },
      heapUsedBytes: 1_000_000,
      lanes: [
        {
          to: 'main',
          lane: 'control',
          usedBytes: 16_384,
          capacityBytes: 65_536,
          sent: 10,
          merged: 0,
          refused: 0,
          queued: 0,
          unhandled: 0,
          redelivered: 0,
        },
      ],
      lostWakeUps: 0,
      wakeUpsSent: 3,
      turns: 50,
      logRecordsDropped: 0,
      stale: false,
    },
  ],
  deadLetters: { total: 0, byReason: {}, latest: [] },
};

export const INSPECTION: ActorInspection = {
  ...actorSnapshot('position/BTC'),
  lastMessageTypes: ['fill-received', 'pair-changed'],
  failure: { reason: 'boom canary-secret-1', stack: 'Error: boom', during: 'fill-received', incarnation: 2, atMs: 5 },
  digest: { fundingMicro: 12_345_678_901_234_567_890n, privateKey: 'never' },
  timers: 1,
  watchers: [],
};

const MAILBOX: MailboxView = {
  path: 'position/BTC',
  depthTotal: 3,
  messages: [
    {
      type: 'order-updated',
      class: 'must-deliver',
      from: 'connector/lighter:main',
      ageMs: 1.5,
      attempts: 1,
      traceId: 7,
      message: { type: 'order-updated', note: 'canary-secret-1', apiKey: 'never', quantity: 12n },
    },
    {
      type: 'market-changed',
      class: 'market',
      from: '',
      ageMs: 0.5,
      attempts: 0,
      message: { text: 'x'.repeat(5_000) },
    },
  ],
};

const TRACE: Trace = {
  traceId: 7,
  beganAtMs: 100,
  durationMs: 2.5,
  names: ['4242'],
  threads: ['io-0', 'trading-0'],
  marks: [
    { traceId: 7, thread: 'trading-0', path: 'position/BTC', step: 'named', about: '4242', atMs: 102, isName: true },
  ],
  spans: [
    span('io-0', 'connector/lighter:main', 'frame', '$port'),
    span('trading-0', 'position/BTC', 'market-changed', 'connector/lighter:main'),
  ],
};

function span(thread: string, path: string, type: string, from: string): Trace['spans'][number] {
  return { traceId: 7, thread, path, incarnation: 1, type, from, queuedAtMs: 100, startedAtMs: 101, endedAtMs: 102.5 };
}

function supervisor(path: string, children: readonly string[]): SystemSnapshot['supervisors'][number] {
  return {
    path,
    strategy: 'one-for-one',
    status: 'running',
    children,
    restartsInPeriod: 0,
    intensity: 5,
    periodMs: 30_000,
    restartsTotal: 0,
  };
}

export interface StagedControl {
  readonly server: ControlServer;
  readonly token: string;
  readonly told: { readonly path: string; readonly message: MessageShape }[];
  /** What was done to actors themselves. */
  readonly steered: readonly (readonly [action: string, path: string])[];
  readonly logged: { readonly event: string; readonly fields: unknown }[];
  /** Moves the server's clock. */
  pass(byMs: number): void;
  /** Asks with the token; `headers` replace or add, undefined removes. */
  ask(
    path: string,
    init?: {
      readonly method?: string;
      readonly headers?: Readonly<Record<string, string | undefined>>;
      readonly body?: string;
    },
  ): Promise<Response>;
}

export async function stageControl(
  engine: Partial<Inspectable> = {},
  options: Partial<ControlServerOptions> = {},
): Promise<StagedControl> {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-control-'));
  const token = loadControlToken(directory);
  const told: { path: string; message: MessageShape }[] = [];
  const steered: (readonly [action: string, path: string])[] = [];
  const logged: { event: string; fields: unknown }[] = [];
  let nowMs = 0;
  const server = await startControlServer({
    engine: {
      snapshot: () => Promise.resolve(SNAPSHOT),
      inspect: (path) =>
        Promise.resolve(
          path === INSPECTION.path
            ? INSPECTION
            : path === 'observer'
              ? { ...INSPECTION, path, digest: SUMMARY }
              : undefined,
        ),
      peek: (path, { limit } = {}) =>
        Promise.resolve(
          path === MAILBOX.path ? { ...MAILBOX, messages: MAILBOX.messages.slice(0, limit ?? 20) } : undefined,
        ),
      traces: () => Promise.resolve([TRACE]),
      pauseActor: (path) => Promise.resolve(steered.push(['pause', path]) > 0 && path !== 'position/NONE'),
      resumeActor: (path) => Promise.resolve(steered.push(['resume', path]) > 0),
      restartActor: (path) => Promise.resolve(steered.push(['restart', path]) > 0),
      tell: (path, message) => {
        told.push({ path, message });
        return path === 'position/NONE' ? 'dead' : 'sent';
      },
      readiness: () => Promise.resolve({ ready: false, reasons: ['lighter:main is connecting'] }),
      summary: () =>
        Promise.resolve({
          mode: 'demo',
          readiness: { ready: true, reasons: [] },
          boot: 3,
          journal: { type: 'ok', rows: 42 },
          nowMs: 1_767_225_600_000,
          trading: SUMMARY,
          faults: { lighter: ['drop-sockets'] },
        }),
      readRows: () => Promise.resolve({ rows: [], complete: true }),
      inject: (venue, fault) => {
        if (venue !== 'lighter') throw new RangeError(`this engine hosts no simulated venue ${venue}`);
        steered.push(['inject', `${venue} ${fault}`]);
      },
      ...engine,
    },
    observation: {
      metrics: { history: new MetricHistory(), table: () => new Map() },
      rollups: () => Promise.resolve([]),
      alerts: () => ({ active: [], recent: [] }),
    },
    addresses: { guard: 'guard', observer: 'observer', position: (base) => `position/${base}` },
    token,
    redactor: createRedactor(['canary-secret-1', token]),
    log: (_, event, fields) => logged.push({ event, fields }),
    host: '127.0.0.1',
    port: 0,
    allowRemote: false,
    monotonicMs: () => nowMs,
    ...options,
  });
  onTestFinished(async () => {
    await server.close();
    rmSync(directory, { recursive: true });
  });
  return {
    server,
    token,
    told,
    steered,
    logged,
    pass: (byMs) => void (nowMs += byMs),
    ask: (path, init = {}) => {
      const headers = Object.entries({ authorization: `Bearer ${token}`, ...init.headers }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      return fetch(`${server.address}${path}`, {
        method: init.method ?? 'GET',
        headers,
        ...(init.body === undefined ? {} : { body: init.body }),
      });
    },
  };
}

/** Headers of a meant state change. */
export const MEANT = { 'content-type': 'application/json', 'x-tandem': '1' };
