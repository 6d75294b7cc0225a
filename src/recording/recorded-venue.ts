/**
 * A recording as a venue: answers what was answered then and says on its connections what was said then, at the same times. Whoever asks
 * what was not recorded is answered by `rest`, a twin of the venue, where there is one. Deterministic; any thread.
 */
import type { SimulatedVenue, VenueInput, VenueOracle, VenueOutput } from '../simulation/simulated-venue.ts';
import type { Instant } from '../venues/venue.ts';
import { addressOf, questionOf } from './format.ts';
import type { RecordingEntry, RecordingHeading } from './format.ts';

type Answer = Extract<RecordingEntry, { k: 'answer' }>;
type Spoken = Extract<RecordingEntry, { k: 'frame' | 'heartbeat' | 'closed' }>;

/** Connections asked for within this time are let in together. */
const KNOCK_MS = 1;

/** One recorded connection. */
interface Tape {
  readonly address: string;
  readonly spoken: readonly Spoken[];
  isTaken: boolean;
}
interface Playing {
  readonly socketId: number;
  readonly spoken: readonly Spoken[];
  next: number;
}

export interface RecordedVenueOptions {
  readonly heading: RecordingHeading;
  readonly entries: readonly RecordingEntry[];
  readonly rest?: SimulatedVenue;
}

export class RecordedVenue implements SimulatedVenue {
  readonly venue: string;
  /** Questions that nobody had recorded and no twin answered. */
  readonly unanswered = new Set<string>();
  readonly #rest: SimulatedVenue | undefined;
  readonly #answers = new Map<string, Answer[]>();
  readonly #tapes: readonly Tape[];
  readonly #origin: string;
  #playing: Playing[] = [];
  #knocks: { readonly socketId: number; readonly path: string; readonly dueMs: number }[] = [];
  #due: { readonly dueMs: number; readonly output: VenueOutput }[] = [];
  framesPlayed = 0;

  constructor({ heading, entries, rest }: RecordedVenueOptions) {
    this.venue = heading.venue;
    this.#rest = rest;
    this.#origin = new URL(heading.streamUrl).origin;
    const tapes = new Map<number, { address: string; spoken: Spoken[]; isTaken: boolean }>();
    for (const entry of entries) {
      if (entry.k === 'answer') {
        const known = this.#answers.get(entry.q) ?? [];
        known.push(entry);
        this.#answers.set(entry.q, known);
      } else if (entry.k === 'opening') {
        tapes.set(entry.s, { address: pathOf(entry.url), spoken: [], isTaken: false });
      } else if (entry.k === 'frame' || entry.k === 'heartbeat' || entry.k === 'closed') {
        tapes.get(entry.s)?.spoken.push(entry);
      }
    }
    this.#tapes = [...tapes.values()];
  }

  /** Ms of the last thing that happened. */
  static endMs(entries: readonly RecordingEntry[]): number {
    return entries.reduce((end, { t }) => Math.max(end, t), 0);
  }

  handle(input: VenueInput, at: Instant): readonly VenueOutput[] {
    const outputs = this.#takeDue(at.monotonicMs);
    switch (input.type) {
      case 'http-request':
        outputs.push(...this.#answer(input, at));
        break;
      case 'socket-requested':
        this.#knocks.push({ socketId: input.socketId, path: input.path, dueMs: at.monotonicMs + KNOCK_MS });
        break;
      case 'socket-closed':
        this.#playing = this.#playing.filter(({ socketId }) => socketId !== input.socketId);
        this.#knocks = this.#knocks.filter(({ socketId }) => socketId !== input.socketId);
        break;
      default:
        break;
    }
    return [...outputs, ...this.#letIn(at.monotonicMs), ...this.#play(at.monotonicMs)];
  }

  nextWakeMs(): number {
    const spoken = this.#playing.map(({ spoken: texts, next }) => texts[next]?.t ?? Number.POSITIVE_INFINITY);
    return Math.min(Number.POSITIVE_INFINITY, ...spoken, ...[...this.#due, ...this.#knocks].map(({ dueMs }) => dueMs));
  }

  /** Nothing is known of the accounts but what was said. */
  oracle(): VenueOracle {
    return { accounts: new Map(), rateLimitRefusals: 0 };
  }

  inject(fault: string): void {
    throw new RangeError(`a recording has no fault named ${JSON.stringify(fault)}`);
  }

  #answer(input: Extract<VenueInput, { type: 'http-request' }>, at: Instant): readonly VenueOutput[] {
    const question = questionOf(input.method, input.path, input.body);
    const known = this.#answers.get(question) ?? [];
    // The next one that was given, or the last: a replay may ask more often.
    const answer = known.find(({ t }) => t >= at.monotonicMs) ?? known.at(-1);
    if (answer === undefined) {
      const outputs = this.#rest?.handle(input, at) ?? [];
      if (outputs.length === 0) this.unanswered.add(question);
      return outputs.filter(({ type }) => type === 'http-answer');
    }
    const { status, headers, body, ms } = answer;
    const output: VenueOutput = { type: 'http-answer', requestId: input.requestId, status, headers, body };
    this.#due.push({ dueMs: at.monotonicMs + ms, output });
    return [];
  }

  /** Connections to one address are told apart by the order they were asked for, not by who arrives first. */
  #letIn(nowMs: number): readonly VenueOutput[] {
    const due = this.#knocks.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length === 0) return [];
    this.#knocks = this.#knocks.filter(({ dueMs }) => dueMs > nowMs);
    return due.toSorted((one, other) => one.socketId - other.socketId).flatMap((knock) => this.#connect(knock));
  }

  #connect({ socketId, path }: { readonly socketId: number; readonly path: string }): readonly VenueOutput[] {
    const address = pathOf(addressOf(this.#origin + path));
    const tape = this.#tapes.find((candidate) => !candidate.isTaken && candidate.address === address);
    // Nobody spoke on such a connection: it stays silent, as the network after its end.
    if (tape !== undefined) {
      tape.isTaken = true;
      this.#playing.push({ socketId, spoken: tape.spoken, next: 0 });
    }
    return [{ type: 'socket-accept', socketId }];
  }

  #takeDue(nowMs: number): VenueOutput[] {
    const due = this.#due.filter(({ dueMs }) => dueMs <= nowMs);
    if (due.length > 0) this.#due = this.#due.filter(({ dueMs }) => dueMs > nowMs);
    return due.map(({ output }) => output);
  }

  #play(nowMs: number): readonly VenueOutput[] {
    const outputs: VenueOutput[] = [];
    for (const playing of this.#playing) {
      for (;;) {
        const entry = playing.spoken[playing.next];
        if (entry === undefined || entry.t > nowMs) break;
        playing.next += 1;
        outputs.push(this.#spoken(playing.socketId, entry));
      }
    }
    return outputs;
  }

  #spoken(socketId: number, entry: Spoken): VenueOutput {
    switch (entry.k) {
      case 'frame':
        this.framesPlayed += 1;
        return { type: 'socket-text', socketId, text: entry.x };
      case 'heartbeat':
        return { type: 'socket-ping', socketId };
      case 'closed':
        return { type: 'socket-close', socketId, code: entry.code, reason: entry.why };
    }
  }
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
