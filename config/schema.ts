/** The shape of a configuration: every setting's type, unit, default and range. Main thread and CLI only (zod is slow to load). */
import { z } from 'zod';
import { FLAG_NAMES } from '../src/venues/flags.ts';
import * as observe from './observe-schema.ts';
import { choice, flag, integer, milliseconds, money, number } from './setting.ts';
import * as trading from './trading-schema.ts';
import { VENUE_NAMES } from './venue-names.ts';
import type { VenueName } from './venue-names.ts';

const venueName = z.enum(VENUE_NAMES);
const accountName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be 1 to 32 of a-z, 0-9 and "-", starting with a letter');
const base = z
  .string()
  .regex(/^[A-Z0-9]{1,20}$/, 'must be a canonical base symbol of capital letters and digits, for example BTC');
const httpUrl = z.string().regex(/^https?:\/\/[^\s]+$/, 'must be an http:// or https:// address');
const socketUrl = z.string().regex(/^wss?:\/\/[^\s]+$/, 'must be a ws:// or wss:// address');
const path = z.string().min(1);

const simulatedVenue = z.strictObject({
  kind: z.literal('simulated'),
  accounts: z
    .array(
      z.strictObject({
        name: accountName,
        balance: money(10_000, [0, 1_000_000_000], 'Quote balance the account starts with.'),
      }),
    )
    .min(1),
  limits: z
    .enum(['standard', 'premium', 'plus'])
    .default('standard')
    .describe(
      "Which of the venue's limit profiles its accounts have; the venue enforces it and the connector keeps it.",
    ),
  port: integer('TCP port', 0, [0, 65_535], 'Loopback port of the simulated venue; 0 takes any free one.'),
  takerDelayMs: milliseconds('monotonic', 0, [0, 10_000], 'Time between accepting and executing a taking order.'),
  makerDelayMs: milliseconds('monotonic', 0, [0, 10_000], 'The same for a resting order.'),
  cancelDelayMs: milliseconds('monotonic', 0, [0, 10_000], 'The same for a cancel.'),
  bookIntervalMs: milliseconds('monotonic', 250, [10, 60_000], 'How often the outside book follows the tape.'),
  restUrl: httpUrl.optional().describe('A simulated venue already running elsewhere; none is started then.'),
  streamUrl: socketUrl.optional().describe('Its stream; given together with restUrl or not at all.'),
});

const liveVenue = z.strictObject({
  kind: z.literal('live'),
  accounts: z
    .array(
      z.strictObject({
        name: accountName,
        keyFile: path
          .optional()
          .describe(
            "YAML file with the account's keys, plain or sealed (tandem keys seal), mode 0600, in a 0700 folder. Keys never stand here.",
          ),
        credential: z
          .string()
          .regex(/^[A-Za-z0-9_.-]{1,255}$/, "must be a credential's name")
          .optional()
          .describe('In place of keyFile: the systemd credential (LoadCredential=) that holds the same.'),
        options: z
          .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
          .default({})
          .describe('Values only this venue knows that are no secret, for example accountIndex.'),
      }),
    )
    .min(1),
  restUrl: httpUrl.optional().describe("Replaces the venue's own address, for example with its test net."),
  streamUrl: socketUrl.optional().describe("Replaces the venue's own stream address."),
});

const venueAccount = z
  .string()
  .regex(/^[a-z]+:[a-z][a-z0-9-]{0,31}$/, 'must be venue:account, for example lighter:main')
  .transform((text) => {
    const colon = text.indexOf(':');
    return { venue: text.slice(0, colon), account: text.slice(colon + 1) };
  });

/** An instant in UTC, written as text, read as epoch ms. */
const instant = z.iso
  .datetime('must be a UTC instant, for example 2026-01-15T00:00:00Z')
  .transform((text) => Date.parse(text));

const generatedTape = z.strictObject({
  kind: z.literal('generated'),
  seed: integer('seed', 1, [0, 4_294_967_295], 'Same seed, same market.'),
  venues: z
    .partialRecord(
      venueName,
      z.strictObject({ series: z.string().min(1).describe('Fitted funding series, for example lighter.') }),
    )
    .describe('What drives each simulated venue.'),
});

const recordedSource = {
  series: z.string().min(1).describe('Whose recorded rows: their venue column, for example hyperliquid.'),
  fundingFile: path.describe('CSV or CSV.GZ of settled funding.'),
  candlesFiles: z
    .array(path)
    .min(1)
    .describe('CSV or CSV.GZ of candles, in order of preference: holes of one are filled from the next.'),
};

const recordedTape = z.strictObject({
  kind: z.literal('recorded'),
  seed: integer('seed', 1, [0, 4_294_967_295], 'Draws what recordings lack: spreads and depth between two candles.'),
  venues: z
    .partialRecord(
      venueName,
      z.strictObject({
        ...recordedSource,
        except: z
          .array(z.strictObject({ bases: z.array(base).min(1), ...recordedSource }))
          .default([])
          .describe('Symbols that play the rows of another venue, where this one has none of its own.'),
      }),
    )
    .describe('What drives each simulated venue.'),
  from: instant.describe('First instant played.'),
  to: instant.describe('Instant at which the tape ends.'),
});

export const configSchema = z.strictObject({
  mode: z
    .enum(['simulated', 'live'])
    .describe('simulated: every venue is one of ours on loopback. live: every venue is the real one, with real money.'),
  venues: z.partialRecord(venueName, z.discriminatedUnion('kind', [simulatedVenue, liveVenue])),
  venuePairs: z
    .array(z.tuple([venueAccount, venueAccount]))
    .min(1)
    .describe('Accounts that may hold the two legs of a pair.'),
  symbols: z.array(base).min(1).max(200).describe('Canonical underlyings to trade.'),
  calendar: z
    .strictObject({
      scale: number(
        'calendar ms per ms',
        1,
        [1, 100_000],
        'Compression of simulated time: 360 lets an hour pass in 10 s.',
      ),
      startAt: z
        .union([z.literal('now'), instant], {
          error: 'must be "now" or a UTC instant, for example 2026-01-15T00:00:00Z',
        })
        .default('now'),
      anchorAt: instant
        .optional()
        .describe(
          'Real instant at which calendar time is startAt; the start of the process when absent. For several processes that share one market.',
        ),
    })
    .prefault({}),
  tape: z.discriminatedUnion('kind', [generatedTape, recordedTape]).optional(),
  workers: z
    .strictObject({
      io: integer('threads', 1, [0, 64], 'Threads for connectors; 0 puts them on the main thread.'),
      trading: integer(
        'threads',
        1,
        [0, 64],
        'Threads for positions, strategy and guard; 0 puts them on the main thread.',
      ),
      cpu: integer('threads', 1, [0, 64], 'Threads of the CPU pool; 0 computes on the asking thread.'),
      ioScheduling: z
        .enum(['realtime', 'ordinary'])
        .default('realtime')
        .describe(
          'How Linux schedules connector threads: before all ordinary threads where the kernel permits it, or like them.',
        ),
      tradingScheduling: z
        .enum(['realtime', 'ordinary'])
        .default('realtime')
        .describe('The same for the store thread and trading threads, which then come after connector threads.'),
    })
    .prefault({}),
  placement: z
    .array(
      z.strictObject({
        paths: z.string().min(1).max(200).describe('Path of an actor, or a pattern in which * stands for any text.'),
        thread: z
          .string()
          .regex(/^(?:main|(?:io|trading)-\d{1,2})$/, 'must be main, io-N or trading-N, for example trading-1')
          .describe('Thread that runs them; it must be of the kind that can.'),
      }),
    )
    .default([])
    .describe(
      'Pins actors to threads, the first matching rule counts; others are spread over the threads of their kind.',
    ),
  runtime: z
    .strictObject({
      traceEvery: integer(
        'port answers',
        100,
        [0, 1_000_000],
        'Of so many answers from outside one is followed through all actors, and every order, see tandem trace; 0 follows none.',
      ),
      spinUs: integer(
        'us',
        0,
        [0, 1_000],
        'How long a trading thread goes on looking for messages before it sleeps, while they come that fast; 0 sleeps at once. Takes a core.',
      ),
    })
    .prefault({}),
  control: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').describe('Address the control server listens on.'),
      port: integer('TCP port', 7_070, [0, 65_535], 'Port of the control server; 0 takes any free one.'),
      allowRemote: flag(false, 'Required for any address that is not loopback.'),
    })
    .prefault({}),
  dataDir: path.default('./var').describe('Journal, logs and tokens.'),
  metrics: observe.metrics.prefault({}),
  alerts: observe.alerts.prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
  poll: z
    .strictObject({
      marketMs: milliseconds(
        'monotonic',
        5_000,
        [20, 600_000],
        'Between reads of predicted funding where the venue does not stream it.',
      ),
      fundingMs: milliseconds(
        'monotonic',
        10_000,
        [100, 3_600_000],
        'Least time between two reads of funding payments.',
      ),
      scanMs: milliseconds('monotonic', 250, [10, 60_000], 'Between two looks for opportunities.'),
    })
    .prefault({}),
  http: z
    .strictObject({
      profile: choice(['standard', 'premium'], 'standard', 'Size of the connection pools.'),
      standardConnections: integer('connections', 16, [1, 256], 'Per venue in the standard profile.'),
      premiumConnections: integer('connections', 48, [1, 256], 'Per venue in the premium profile.'),
      keepAliveMs: milliseconds('monotonic', 30_000, [1_000, 600_000], 'An idle connection is kept this long.'),
      softLimit: integer('requests', 150, [1, 10_000], 'Under way on one connector thread, usually.'),
      burstLimit: integer('requests', 300, [1, 10_000], 'The same for a while, when the soft limit is reached.'),
      burstMs: milliseconds('monotonic', 30_000, [1_000, 600_000], 'How long, and how long not again after it.'),
      questionsCalm: integer(
        'requests',
        12,
        [1, 256],
        'Questions of one account under way while nobody critical waits.',
      ),
      questionsBusy: integer('requests', 15, [1, 256], 'The same while positions wait or orders are in doubt.'),
      questionsCritical: integer('requests', 20, [1, 256], 'The same while many of these do.'),
      criticalWatchers: integer('watchers', 5, [1, 10_000], 'So many are many.'),
    })
    .prefault({}),
  flags: z
    .partialRecord(z.enum(FLAG_NAMES), z.boolean())
    .default({})
    .describe('Optimisations on or off from the start; absent ones are on. See tandem flags.'),
  limits: z
    .strictObject({
      ramp: choice(
        ['live', 'always', 'never'],
        'live',
        'Which venues are used little at first: real ones, all, or none.',
      ),
      rampStartShare: number('share of a limit', 0.1, [0.01, 0.5], 'Used by choice on the first day of a ramp.'),
      rampStepShare: number(
        'share of a limit',
        0.1,
        [0.01, 0.5],
        'Added by every clean day up to half, taken away by a refusal.',
      ),
      rampStepMs: milliseconds(
        'calendar',
        86_400_000,
        [60_000, 604_800_000],
        'Time without a refusal that makes a step.',
      ),
    })
    .prefault({}),
  startupQuarantineMs: milliseconds(
    'monotonic',
    12_000,
    [0, 900_000],
    'After a start no entries for this long: requests of a previous run may still take effect.',
  ),
  resumeTrading: flag(false, 'Go from ARMED to TRADING after recovery without an operator.'),
  entry: trading.entry.prefault({}),
  sizing: trading.sizing.prefault({}),
  depth: trading.depth.prefault({}),
  cap: trading.cap.prefault({}),
  hedge: trading.hedge.prefault({}),
  maker: trading.maker.prefault({}),
  open: trading.open.prefault({}),
  close: trading.close.prefault({}),
  exit: trading.exit.prefault({}),
  rotation: trading.rotation.prefault({}),
  settle: trading.settle.prefault({}),
  cooldown: trading.cooldown.prefault({}),
  liq: trading.liq.prefault({}),
  fundingCheck: trading.fundingCheck.prefault({}),
  forecast: trading.forecast.prefault({}),
  match: trading.match.prefault({}),
  stablecoin: trading.stablecoin.prefault({}),
  delta: trading.delta.prefault({}),
  order: trading.order.prefault({}),
  stale: trading.stale.prefault({}),
  clock: trading.clock.prefault({}),
  reconcile: trading.reconcile.prefault({}),
  recovery: trading.recovery.prefault({}),
  quarantine: trading.quarantine.prefault({}),
  risk: trading.risk.prefault({}),
});

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** A validated, frozen configuration. Each actor gets only its own slice. */
export type TandemConfig = DeepReadonly<z.output<typeof configSchema>>;
/** What files and command-line overrides may say: like the configuration, every setting optional. */
export type ConfigOverrides = DeepPartial<z.input<typeof configSchema>>;
type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: DeepPartial<T[Key]> }
    : T;

export type VenueConfig = NonNullable<TandemConfig['venues'][VenueName]>;
export type SimulatedVenueConfig = Extract<VenueConfig, { readonly kind: 'simulated' }>;
export type LiveVenueConfig = Extract<VenueConfig, { readonly kind: 'live' }>;
export type TapeConfig = NonNullable<TandemConfig['tape']>;
export type CalendarConfig = TandemConfig['calendar'];
export type WorkersConfig = TandemConfig['workers'];
export type AlertsConfig = TandemConfig['alerts'];
export type ControlConfig = TandemConfig['control'];
export type EntryConfig = TandemConfig['entry'];
export type SizingConfig = TandemConfig['sizing'];
export type DepthConfig = TandemConfig['depth'];
export type CapConfig = TandemConfig['cap'];
export type HedgeConfig = TandemConfig['hedge'];
export type OpenConfig = TandemConfig['open'];
export type CloseConfig = TandemConfig['close'];
export type ExitConfig = TandemConfig['exit'];
export type RotationConfig = TandemConfig['rotation'];
export type SettleConfig = TandemConfig['settle'];
export type CooldownConfig = TandemConfig['cooldown'];
export type LiquidationConfig = TandemConfig['liq'];
export type FundingCheckConfig = TandemConfig['fundingCheck'];
export type ForecastConfig = TandemConfig['forecast'];
export type MatchConfig = TandemConfig['match'];
export type StablecoinConfig = TandemConfig['stablecoin'];
export type DeltaConfig = TandemConfig['delta'];
export type OrderConfig = TandemConfig['order'];
export type StaleConfig = TandemConfig['stale'];
export type ClockConfig = TandemConfig['clock'];
export type ReconcileConfig = TandemConfig['reconcile'];
export type RecoveryConfig = TandemConfig['recovery'];
export type QuarantineConfig = TandemConfig['quarantine'];
export type RiskConfig = TandemConfig['risk'];
