/**
 * One way out for notices, with a queue, a timeout and a rate limit of its own: whoever raises an alert hands it over and goes on,
 * however long the other side takes. Main thread only.
 */
import type { LogLevel } from '../../runtime/ports-context.ts';
import type { Notice } from '../alert-engine.ts';
import { SEVERITIES } from '../alert-rules.ts';
import type { Severity } from '../alert-rules.ts';
import type { ScalarSeries } from '../series.ts';

export interface Sink {
  readonly name: string;
  /** Delivers one notice; rejects when it could not. `signal` aborts when the time is over: nobody waits for it after that. */
  send(notice: Notice, signal: AbortSignal): Promise<void>;
}

export interface SinkOptions {
  /** Notices below this are not for this sink. */
  readonly severityMin: Severity;
  readonly queueMax: number;
  readonly timeoutMs: number;
  /** Notices sent in any minute at most. */
  readonly perMinute: number;
  readonly log: (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Monotonic ms; only differences are used. */
  readonly monotonicMs: () => number;
}

/** Asked to wait by the other side, for at least this long. */
export class SinkBusy extends Error {
  override readonly name = 'SinkBusy';
  readonly retryAfterMs: number;

  constructor(sink: string, retryAfterMs: number) {
    super(`${sink} asks to wait ${retryAfterMs} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

const ATTEMPTS_MAX = 3;
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;
const MINUTE_MS = 60_000;

/** What became of the notices of one sink. */
export interface SinkView {
  readonly name: string;
  readonly waiting: number;
  readonly sent: number;
  readonly failed: number;
  readonly dropped: number;
  /** Why the last one failed; absent when none did. */
  readonly lastFailure?: string;
}

export class SinkQueue {
  readonly #sink: Sink;
  readonly #options: SinkOptions;
  #waiting: Notice[] = [];
  #isPumping = false;
  #isClosed = false;
  #wake: (() => void) | undefined;
  #sentAtMs: number[] = [];
  #sent = 0;
  #failed = 0;
  #dropped = 0;
  #lastFailure: string | undefined;

  constructor(sink: Sink, options: SinkOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /** Takes a notice; never waits, never throws. A full queue loses the oldest of what matters least. */
  offer(notice: Notice): void {
    const { severityMin, queueMax } = this.#options;
    if (this.#isClosed || rank(notice.severity) < rank(severityMin)) return;
    this.#waiting.push(notice);
    if (this.#waiting.length > queueMax) this.#dropOne();
    if (!this.#isPumping) void this.#pump();
  }

  view(): SinkView {
    const { name } = this.#sink;
    const failure = this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure };
    return {
      name,
      waiting: this.#waiting.length,
      sent: this.#sent,
      failed: this.#failed,
      dropped: this.#dropped,
      ...failure,
    };
  }

  series(): readonly ScalarSeries[] {
    const sink = this.#sink.name;
    const outcomes = { sent: this.#sent, failed: this.#failed, dropped: this.#dropped };
    return Object.entries(outcomes).map(([outcome, value]) => {
      return { kind: 'counter', name: 'notices_total', labels: { sink, outcome }, value };
    });
  }

  /** Drops what waits. A delivery under way is not waited for. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#wake?.();
  }

  #dropOne(): void {
    const least = Math.min(...this.#waiting.map(({ severity }) => rank(severity)));
    this.#waiting.splice(
      this.#waiting.findIndex(({ severity }) => rank(severity) === least),
      1,
    );
    this.#dropped += 1;
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    for (;;) {
      const pauseMs = this.#pauseMs();
      if (pauseMs > 0 && !this.#isClosed) {
        await this.#pause(pauseMs);
        continue;
      }
      const notice = this.#waiting.shift();
      if (notice === undefined || this.#isClosed) break;
      await this.#deliver(notice);
    }
    this.#isPumping = false;
  }

  async #deliver(notice: Notice): Promise<void> {
    for (let attempt = 1; !this.#isClosed; attempt++) {
      this.#sentAtMs.push(this.#options.monotonicMs());
      try {
        await this.#within(notice);
        this.#sent += 1;
        return;
      } catch (error) {
        this.#lastFailure = error instanceof Error ? error.message : String(error);
        if (attempt >= ATTEMPTS_MAX) break;
        const asked = error instanceof SinkBusy ? error.retryAfterMs : RETRY_MS * 2 ** (attempt - 1);
        await this.#pause(Math.min(RETRY_MS_MAX, asked));
      }
    }
    this.#failed += 1;
    const { rule } = notice;
    this.#options.log('error', 'notice-not-delivered', { sink: this.#sink.name, rule, reason: this.#lastFailure });
  }

  /** Rejects at the timeout, also when the sink does not listen to its signal. */
  async #within(notice: Notice): Promise<void> {
    const { timeoutMs } = this.#options;
    const abort = new AbortController();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      abort.abort();
      late.reject(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    try {
      await Promise.race([this.#sink.send(notice, abort.signal), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** How long to wait before one more may be sent. */
  #pauseMs(): number {
    const nowMs = this.#options.monotonicMs();
    this.#sentAtMs = this.#sentAtMs.filter((atMs) => nowMs - atMs < MINUTE_MS);
    const [oldest] = this.#sentAtMs;
    return this.#sentAtMs.length < this.#options.perMinute || oldest === undefined ? 0 : oldest + MINUTE_MS - nowMs;
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
  }
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}
