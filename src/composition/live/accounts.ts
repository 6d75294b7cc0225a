/** Finds every account's venue: the live address, or a simulated venue started for this engine. Main thread. */
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { TandemConfig, VenueConfig } from '../../../config/schema.ts';
import type { VenueName } from '../../../config/venue-names.ts';
import { connectorRef } from '../../../actors/addresses.ts';
import type { SecretSource } from '../../ports/live/account-secrets.ts';
import type { Calendar } from '../../runtime/system.ts';
import { demoAccount } from '../../simulation/demo-accounts.ts';
import type { VenueOracle } from '../../simulation/simulated-venue.ts';
import type { VenueWorkerData, VenueWorkerEvent, VenueWorkerRequest } from '../../simulation/live/venue-worker.ts';
import { calendarAt } from '../../simulation/venue-calendar.ts';
import type { World } from '../../simulation/live/world-file.ts';
import { openWorld } from '../../simulation/live/world-file.ts';
import { hostsOf } from '../../venues/hosts.ts';
import { marketCalendar, standsStill, tapeSpec, venueSpec, worldMaterial } from '../market.ts';
import type { AccountEndpoint } from '../tree.ts';
import type { AccountKeys } from './account-keys.ts';

export interface Accounts {
  readonly endpoints: readonly AccountEndpoint[];
  /** By connector path. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
  /** The calendar actors are given, as of now. */
  calendar(): Calendar;
  /** By simulated venue of this engine: the faults anybody may ask for. */
  readonly faults: Readonly<Record<string, readonly string[]>>;
  /** Makes a simulated venue misbehave. Throws RangeError when this engine hosts none of that name. */
  inject(venue: string, fault: string, options?: Readonly<Record<string, number | string | boolean>>): void;
  /** The books of record of a simulated venue this engine hosts: what the ledger must equal. */
  oracle(venue: string): Promise<VenueOracle>;
  /** Ends the simulated venues, if any. */
  close(): Promise<void>;
}

interface VenueAddress {
  readonly restUrl: string;
  readonly streamUrl: string;
}

type HostedVenue = VenueWorkerData['venues'][number];

/** Faults that every simulated venue can play without further words. */
const COMMON_FAULTS: readonly string[] = [
  'drop-sockets',
  'lose-next-answer',
  'delay-answers',
  'rate-limit',
  'reject-next-order',
  'silent-drop-next-order',
];

const CLOSE_MS = 5_000;
const ORACLE_MS = 5_000;

/**
 * Starts the simulated venues, in the world of the data directory, and lists every account. Rejects when a venue cannot start or
 * the world is of other settings.
 */
export async function openAccounts(config: TandemConfig, keys: Pick<AccountKeys, 'sources'>): Promise<Accounts> {
  const nowMs = Date.now();
  const fresh = marketCalendar(config, nowMs);
  const hosted = hostedVenues(config);
  const world =
    hosted.length === 0
      ? undefined
      : openWorld(resolve(config.dataDir), worldMaterial(config, hosted), fresh, nowMs, standsStill(config));
  const calendar = world?.calendar ?? fresh;
  const server = world === undefined ? undefined : await VenueThread.start(config, hosted, world);
  const endpoints: AccountEndpoint[] = [];
  const secrets: Record<string, SecretSource> = {};
  for (const [name, venue] of venueEntries(config)) {
    const address = server?.addresses.get(name) ?? addressOf(name, venue);
    for (const account of venue.accounts) {
      const { path } = connectorRef(name, account.name);
      if ('options' in account) {
        endpoints.push({ venue: name, account: account.name, ...address, options: account.options });
        const source = keys.sources[path];
        if (source === undefined) throw new Error(`account ${name}:${account.name} must have a source of secrets`);
        secrets[path] = source;
        continue;
      }
      const simulated = demoAccount(name, account.name);
      const limits = venue.kind === 'simulated' ? hostsOf(name).profileOptions[venue.limits] : {};
      const options = { ...simulated.options, ...limits };
      endpoints.push({ venue: name, account: account.name, ...address, options });
      secrets[path] = { type: 'published', secrets: simulated.secrets };
    }
  }
  return {
    endpoints,
    secrets,
    calendar: () =>
      config.mode === 'live'
        ? { type: 'live' }
        : { type: 'scaled', startAtMs: calendarAt(calendar, Date.now()), scale: calendar.scale },
    faults: Object.fromEntries(hosted.map(({ venue }) => [venue, COMMON_FAULTS])),
    inject(venue, fault, options) {
      hostOf(server, venue).send({ type: 'inject', venue, fault, ...(options === undefined ? {} : { options }) });
    },
    oracle: async (venue) => hostOf(server, venue).oracle(venue),
    close: async () => server?.close(),
  };
}

function venueEntries(config: TandemConfig): readonly (readonly [VenueName, VenueConfig])[] {
  const entries: (readonly [VenueName, VenueConfig])[] = [];
  for (const name of Object.keys(config.venues) as VenueName[]) {
    const venue = config.venues[name];
    if (venue !== undefined) entries.push([name, venue]);
  }
  return entries;
}

/** The venues this engine makes itself. */
function hostedVenues(config: TandemConfig): readonly HostedVenue[] {
  return venueEntries(config).flatMap(([name, venue]) =>
    venue.kind === 'simulated' && venue.restUrl === undefined
      ? [{ ...venueSpec(config, name, venue), port: venue.port }]
      : [],
  );
}

function hostOf(server: VenueThread | undefined, venue: string): VenueThread {
  if (server?.addresses.has(venue) !== true) throw new RangeError(`this engine hosts no simulated venue ${venue}`);
  return server;
}

function addressOf(name: string, venue: VenueConfig): VenueAddress {
  const live = hostsOf(name);
  return { restUrl: venue.restUrl ?? live.restUrl, streamUrl: venue.streamUrl ?? live.streamUrl };
}

/** The worker that hosts this engine's simulated venues. It is no actor: the engine must not share fate with its venues. */
class VenueThread {
  readonly addresses = new Map<string, VenueAddress>();
  readonly #worker: Worker;
  readonly #stopped: Promise<void>;
  readonly #asked = new Map<number, (oracle: VenueOracle) => void>();
  #lastAskId = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
    this.#stopped = new Promise((resolve) => {
      worker.once('exit', () => resolve());
    });
  }

  static async start(config: TandemConfig, venues: readonly HostedVenue[], world: World): Promise<VenueThread> {
    const { calendar, tapeStartAtMs } = world;
    const workerData: VenueWorkerData = { calendar, world, tape: tapeSpec(config, tapeStartAtMs), venues };
    const worker = new Worker(new URL('../../../workers/venue-server.ts', import.meta.url), { workerData, env: {} });
    const thread = new VenueThread(worker);
    const listening = await new Promise<Extract<VenueWorkerEvent, { type: 'listening' }>>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', (code) =>
        reject(new Error(`the thread of the simulated venues ended with code ${code} before they listened`)),
      );
      worker.on('message', (event: VenueWorkerEvent) => {
        if (event.type === 'listening') resolve(event);
        if (event.type === 'oracle') thread.#answered(event);
      });
    });
    for (const { venue, url, streamUrl } of listening.venues) {
      const { restPath, streamPath } = hostsOf(venue);
      thread.addresses.set(venue, { restUrl: url + restPath, streamUrl: streamUrl + streamPath });
    }
    return thread;
  }

  send(request: VenueWorkerRequest): void {
    this.#worker.postMessage(request);
  }

  oracle(venue: string): Promise<VenueOracle> {
    this.#lastAskId += 1;
    const askId = this.#lastAskId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`venue ${venue} must show its books within ${ORACLE_MS} ms`)),
        ORACLE_MS,
      );
      this.#asked.set(askId, (oracle) => {
        clearTimeout(timer);
        resolve(oracle);
      });
      this.send({ type: 'ask-oracle', askId, venue });
    });
  }

  #answered({ askId, accounts, rateLimitRefusals }: Extract<VenueWorkerEvent, { type: 'oracle' }>): void {
    this.#asked.get(askId)?.({ accounts, rateLimitRefusals });
    this.#asked.delete(askId);
  }

  async close(): Promise<void> {
    this.send({ type: 'stop' });
    const timer = setTimeout(() => void this.#worker.terminate(), CLOSE_MS);
    await this.#stopped;
    clearTimeout(timer);
  }
}
