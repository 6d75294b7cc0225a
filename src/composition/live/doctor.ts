/**
 * Examines one configured account step by step, as a connector would meet it: keys, network, clock, public data, access, rights, limits,
 * streams, balance. Reads only: no order, no setting. Main thread.
 */
import { lookup } from 'node:dns/promises';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { errorText } from '../error-text.ts';
import type { SecretSource } from '../../ports/live/account-secrets.ts';
import { readSecrets } from '../../ports/live/account-secrets.ts';
import { accessSentence, isCertificateCode, unlistedSentence } from '../../venues/access.ts';
import { openVenue } from '../../venues/registry.ts';
import { VenueError } from '../../venues/venue.ts';
import type { Instant, LimitBucket, VenueAdapter, VenueEvent } from '../../venues/venue.ts';
import type { Instrument } from '../../market/instrument.ts';
import { NoAnswer, VenueProbe } from './doctor-probe.ts';

export interface DoctorSubject {
  readonly venue: string;
  readonly account: string;
  readonly restUrl: string;
  readonly streamUrl: string;
  readonly options: Readonly<Record<string, string | number | boolean>>;
  readonly secrets: SecretSource;
  /** Canonical underlyings that are to be traded. */
  readonly symbols: readonly string[];
  readonly calendarScale: number;
  readonly clockWarnOffsetMs: number;
}

export interface Finding {
  /** `venue:account`. */
  readonly account: string;
  readonly step: string;
  /** `skipped`: something before it has to be put right first. */
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped';
  /** What is so, or what is wrong and what to do. */
  readonly detail: string;
}

/** As the connector judges them, real ms. */
const CLOCK_OFFSET_MAX_MS = 2_000;
const CONNECT_MS = 5_000;
const LISTEN_MS = 15_000;
const DAY_MS = 86_400_000;
const CERTIFICATE_DAYS_WARNED = 14;
const CLOCK_SAMPLES = 3;

type Verdict = Pick<Finding, 'status' | 'detail'>;

/** Yields a finding for every step, also for those that cannot be taken. */
export async function* examineAccount(subject: DoctorSubject, now: () => Instant): AsyncGenerator<Finding> {
  const examination = new Examination(subject, now);
  try {
    for (const [step, take] of examination.steps()) {
      const verdict = await examination.take(take);
      yield { account: `${subject.venue}:${subject.account}`, step, ...verdict };
    }
  } finally {
    examination.close();
  }
}

/** A step that cannot be taken because of an earlier one. */
class Skipped extends Error {}

class Examination {
  readonly #subject: DoctorSubject;
  readonly #now: () => Instant;
  readonly #probe: VenueProbe;
  #adapter: VenueAdapter | undefined;
  #isReachable = false;
  #isKeyTaken = false;
  #listed: readonly Instrument[] | undefined;
  #account: readonly VenueEvent[] = [];

  constructor(subject: DoctorSubject, now: () => Instant) {
    this.#subject = subject;
    this.#now = now;
    this.#probe = new VenueProbe(now);
  }

  steps(): readonly (readonly [string, () => Verdict | Promise<Verdict>])[] {
    return [
      ['keys', () => this.#keys()],
      ['name', () => this.#name()],
      ['connection', () => this.#connection()],
      ['clock', () => this.#clock()],
      ['instruments', () => this.#instruments()],
      ['symbols', () => this.#symbols()],
      ['access', () => this.#access()],
      ['rights', () => this.#rights()],
      ['limits', () => this.#limits()],
      ['streams', () => this.#streams()],
      ['balance', () => this.#balance()],
    ];
  }

  async take(step: () => Verdict | Promise<Verdict>): Promise<Verdict> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof Skipped) return { status: 'skipped', detail: error.message };
      return failed(this.#explain(error));
    }
  }

  close(): void {
    this.#probe.close();
  }

  #keys(): Verdict {
    const { venue, account, restUrl, streamUrl, options, calendarScale, secrets } = this.#subject;
    if (secrets.type === 'unusable') return failed(secrets.reason);
    const read = readSecrets(secrets);
    this.#adapter = openVenue(venue, { account, restUrl, streamUrl, options, secrets: read, calendarScale });
    if (secrets.type === 'published') return ok('published keys of a simulated venue');
    const count = Object.keys(read).length;
    if (secrets.type === 'sealed') return ok(`${count} secrets from ${secrets.path}, sealed`);
    if (secrets.type === 'credential') return ok(`${count} secrets from credential ${secrets.path}`);
    return ok(
      `${count} secrets from ${secrets.path}, readable by its owner only; tandem keys seal puts a passphrase on it`,
    );
  }

  async #name(): Promise<Verdict> {
    const { hostname } = new URL(this.#subject.restUrl);
    const { address } = await lookup(hostname).catch((error: unknown) => {
      throw new Error(
        `${hostname} has no address (${errorText(error)}): check restUrl and this machine's name service`,
      );
    });
    return ok(`${hostname} is ${address}`);
  }

  async #connection(): Promise<Verdict> {
    const { venue, account } = this.#subject;
    const url = new URL(this.#subject.restUrl);
    const isSecure = url.protocol === 'https:';
    const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
    const startedAtMs = this.#now().monotonicMs;
    const outcome = await connectTo(url.hostname, port, isSecure);
    if ('code' in outcome) {
      const detail = `${outcome.code}: ${outcome.message}`;
      if (isCertificateCode(outcome.code)) return failed(accessSentence(venue, account, 'certificate', detail));
      return failed(
        `${url.hostname} port ${port} does not answer (${detail}): check the address and this machine's firewall`,
      );
    }
    this.#isReachable = true;
    const ms = Math.round(this.#now().monotonicMs - startedAtMs);
    if (!isSecure) return ok(`connected within ${ms} ms, without encryption`);
    const daysLeft = Math.floor((outcome.validToMs - Date.now()) / DAY_MS);
    const detail = `connected within ${ms} ms, certificate good for ${daysLeft} days`;
    return daysLeft < CERTIFICATE_DAYS_WARNED ? { status: 'warning', detail } : ok(detail);
  }

  async #clock(): Promise<Verdict> {
    const adapter = this.#reachable();
    const { calendarScale, clockWarnOffsetMs, venue } = this.#subject;
    let best: { readonly offsetMs: number; readonly errorMs: number } | undefined;
    for (let sample = 0; sample < CLOCK_SAMPLES; sample++) {
      const { sentAt, answeredAt, events } = await this.#probe.ask(adapter.serverTime());
      const told = events.find((event) => event.type === 'server-time');
      if (told === undefined) throw new Error(`${venue} did not tell its time`);
      const errorMs = (answeredAt.monotonicMs - sentAt.monotonicMs) / 2;
      const offsetMs = (told.serverMs - (sentAt.calendarMs + answeredAt.calendarMs) / 2) / calendarScale;
      if (best === undefined || errorMs < best.errorMs) best = { offsetMs, errorMs };
    }
    const offsetMs = Math.round(best?.offsetMs ?? 0);
    const detail = `the venue's clock is ${Math.abs(offsetMs)} ms ${offsetMs < 0 ? 'behind' : 'ahead of'} ours, give or take ${Math.ceil(best?.errorMs ?? 0)} ms`;
    if (Math.abs(offsetMs) > CLOCK_OFFSET_MAX_MS)
      return failed(`${detail}; at most ${CLOCK_OFFSET_MAX_MS} are allowed: set this machine's clock (NTP)`);
    return Math.abs(offsetMs) > clockWarnOffsetMs
      ? { status: 'warning', detail: `${detail}: set this machine's clock (NTP)` }
      : ok(detail);
  }

  async #instruments(): Promise<Verdict> {
    const { events } = await this.#probe.ask(this.#reachable().instruments());
    const listed = events.flatMap((event) => (event.type === 'instruments' ? event.instruments : []));
    const unreadable = events.filter((event) => event.type === 'malformed-frame').length;
    if (listed.length === 0) return failed(`${this.#subject.venue} lists nothing: check restUrl`);
    this.#listed = listed;
    const detail = `${listed.length} perpetuals listed`;
    return unreadable === 0 ? ok(detail) : { status: 'warning', detail: `${detail}, ${unreadable} more unreadable` };
  }

  #symbols(): Verdict {
    const { symbols, venue } = this.#subject;
    const chosen = this.#chosen();
    const missing = symbols.filter((base) => !chosen.some((instrument) => instrument.base === base));
    if (missing.length > 0) return failed(unlistedSentence(venue, missing));
    const closed = chosen
      .filter(({ status }) => status !== 'active')
      .map(({ symbol, status }) => `${symbol} ${status}`);
    if (closed.length > 0) return { status: 'warning', detail: `not open for entries: ${closed.join(', ')}` };
    return ok(chosen.map(({ symbol, maxLeverage }) => `${symbol} (up to ${maxLeverage}x)`).join(', '));
  }

  async #access(): Promise<Verdict> {
    const adapter = this.#reachable();
    this.#instrumentsRead();
    const at = this.#now();
    const events: VenueEvent[] = [];
    for (const question of [...adapter.accountSnapshot(at), adapter.feeTier(at)])
      events.push(...(await this.#probe.ask(question)).events);
    this.#isKeyTaken = true;
    this.#account = events;
    const fee = events.find((event) => event.type === 'fee-tier');
    if (fee === undefined) return ok('the account answers');
    return ok(`the account answers; fees ${percent(fee.makerFee)} making, ${percent(fee.takerFee)} taking`);
  }

  async #rights(): Promise<Verdict> {
    const adapter = this.#withAccess();
    const { venue, account } = this.#subject;
    if (adapter.keyRights === undefined) {
      const detail = adapter.keyCaution ?? 'the venue does not tell what a key may do';
      return { status: adapter.keyCaution === undefined ? 'ok' : 'warning', detail: `${venue}: ${detail}` };
    }
    const { events } = await this.#probe.ask(adapter.keyRights(this.#now()));
    const told = events.find((event) => event.type === 'key-rights');
    if (told === undefined) throw new Error(`${venue} did not tell what the key may do`);
    const { canTrade, canWithdraw, expiresAtMs, isAddressBound } = told.rights;
    if (canWithdraw) return failed(accessSentence(venue, account, 'may-withdraw', 'read from the venue'));
    if (!canTrade) return failed(accessSentence(venue, account, 'not-permitted', 'no right to trade'));
    const until = expiresAtMs === undefined ? '' : `, until ${new Date(expiresAtMs).toISOString().slice(0, 10)}`;
    const detail = `may trade and not withdraw${until}`;
    return isAddressBound === false
      ? { status: 'warning', detail: `${detail}; from every address: bind it to this machine's at the venue` }
      : ok(detail);
  }

  #limits(): Verdict {
    if (this.#adapter === undefined) throw new Skipped('the keys come first');
    const { rest, orders, socketMessages } = this.#adapter.limits;
    return ok(
      [rest, orders, socketMessages].flatMap((bucket) => (bucket === undefined ? [] : limitText(bucket))).join(', '),
    );
  }

  async #streams(): Promise<Verdict> {
    const adapter = this.#withAccess();
    const { venue, account } = this.#subject;
    const symbols = this.#chosen().map(({ symbol }) => symbol);
    const stream = adapter.openStream();
    const report = await this.#probe.listen(stream, symbols, LISTEN_MS);
    const said = report.complaints.slice(0, 3).join('; ');
    if (report.isUntrusted) return failed(accessSentence(venue, account, 'certificate', said));
    if (!report.isPrivateReady)
      return failed(
        `the account's stream of ${venue} was not ready within ${LISTEN_MS / 1_000} s (${said || 'no word'}): check streamUrl and the key`,
      );
    const missing = symbols.filter((symbol) => !report.booked.has(symbol));
    if (missing.length > 0)
      return failed(`no book of ${missing.join(', ')} within ${LISTEN_MS / 1_000} s (${said || 'no word'})`);
    return ok(`the account's stream is ready, books of ${symbols.length} symbols follow`);
  }

  #balance(): Verdict {
    this.#withAccess();
    const balance = this.#account.find((event) => event.type === 'balance');
    if (balance === undefined) return failed(`${this.#subject.venue} tells no balance: check the account's options`);
    const positions = this.#account.flatMap((event) => (event.type === 'positions-snapshot' ? event.positions : []));
    const orders = this.#account.flatMap((event) => (event.type === 'open-orders' ? event.orders : []));
    const detail = `${money(balance.walletMicro)} in the wallet, ${positions.length} positions, ${orders.length} open orders`;
    if (balance.walletMicro <= 0n) return failed(`${detail}: nothing can be opened without money`);
    return orders.length > 0 ? { status: 'warning', detail: `${detail}: somebody may be trading here` } : ok(detail);
  }

  // What earlier steps have found.

  #reachable(): VenueAdapter {
    if (this.#adapter === undefined) throw new Skipped('the keys come first');
    if (!this.#isReachable) throw new Skipped('the connection comes first');
    return this.#adapter;
  }

  #instrumentsRead(): readonly Instrument[] {
    if (this.#listed === undefined) throw new Skipped('the instruments come first');
    return this.#listed;
  }

  #withAccess(): VenueAdapter {
    const adapter = this.#reachable();
    if (!this.#isKeyTaken) throw new Skipped('access comes first');
    return adapter;
  }

  #chosen(): readonly Instrument[] {
    const { symbols } = this.#subject;
    return this.#instrumentsRead().filter(({ base }) => symbols.includes(base));
  }

  #explain(error: unknown): string {
    const { venue, account } = this.#subject;
    if (error instanceof NoAnswer && error.failure.code === 'untrusted')
      return accessSentence(venue, account, 'certificate', error.failure.detail);
    if (!(error instanceof VenueError)) return errorText(error);
    const problem = this.#adapter?.accessProblem?.(error.code);
    return problem === undefined ? error.message : accessSentence(venue, account, problem, error.message);
  }
}

function ok(detail: string): Verdict {
  return { status: 'ok', detail };
}

function failed(detail: string): Verdict {
  return { status: 'failed', detail };
}

function percent(pico: number): string {
  return `${pico / 1e10} %`;
}

function money(micro: bigint): string {
  return (Number(micro) / 1e6).toFixed(2);
}

function limitText({ name, max, windowMs }: LimitBucket): string {
  return `${name} ${max} in ${windowMs / 1_000} s`;
}

type Connected = { readonly validToMs: number } | { readonly code: string; readonly message: string };

function connectTo(host: string, port: number, isSecure: boolean): Promise<Connected> {
  return new Promise((resolve) => {
    const socket = isSecure ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
    const end = (outcome: Connected): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(outcome);
    };
    const deadline = setTimeout(() => end({ code: 'TIMEOUT', message: `nothing within ${CONNECT_MS} ms` }), CONNECT_MS);
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end({ code: error.code ?? 'ERROR', message: error.message }),
    );
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      const validTo = 'getPeerCertificate' in socket ? socket.getPeerCertificate().valid_to : '';
      end({ validToMs: Date.parse(validTo) });
    });
  });
}
