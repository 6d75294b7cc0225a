/** What a program of the actor benchmarks is made of, the same for every subject that runs it. Any thread. */
import type { ActorKind, ActorRef, Delivery, MessageShape, Self } from '../../src/runtime/actor.ts';
import { replyTo, type Asked } from '../../src/runtime/ask.ts';
import type { AnyActorKind } from '../../src/runtime/kind-registry.ts';

/** One actor of a problem. */
export interface Seat {
  readonly id: string;
  readonly kind: string;
  /** Plain data for its `start`. */
  readonly args: unknown;
  /** Which of the two threads it has when the problem is run across two. */
  readonly side: 0 | 1;
}

/** A program at one size. */
export interface Problem {
  /** All actors; `director` is the one that is told to run. */
  readonly seats: readonly Seat[];
  /** How many units of work one run does. */
  readonly work: number;
  /** What every run must answer. Computed without the program. */
  readonly answer: number;
  /** The same size for the Erlang module's `prepare/1`. */
  readonly parameters: readonly number[];
}

/** `within` one thread, `across` two, or `small` for tests. */
export type SizeName = 'within' | 'across' | 'small';

/** Subjects beside the runtime, except Erlang, which runs every program. */
export type PeerName = 'nact' | 'comedy' | 'postMessage' | 'comlink' | 'piscina';

export interface Program {
  /** The benchmark's name. */
  readonly name: string;
  /** The Erlang module that does the same, in erlang/. */
  readonly erlangModule: string;
  /** Who talks to whom. */
  readonly topology: string;
  /** What a unit of work is, in the plural. */
  readonly unit: string;
  readonly kinds: readonly AnyActorKind[];
  problem(size: SizeName): Problem;
  /** Why a peer does not run it, where one does not. */
  readonly absent?: Readonly<Partial<Record<PeerName, string>>>;
}

/** Returns a program's `problem` from its sizes. */
export function problemOf<Size>(
  sizes: Readonly<Record<SizeName, Size>>,
  at: (size: Size) => Problem,
): (size: SizeName) => Problem {
  return (size) => at(sizes[size]);
}

export const DIRECTOR = 'director';

/** How every message of the programs is delivered: nothing may be lost. */
export const NORMAL: Delivery = { class: 'must-deliver', priority: 'normal' };

/** Tells a director to run once and to answer with a RunReport. */
export type RunProgram = { readonly type: 'run-program' } & Asked;

export interface RunReport {
  /** From the order to run until the last answer that belongs to the work. */
  readonly elapsedMs: number;
  readonly answer: number;
}

/** A run under way. */
export interface Running {
  readonly asked: RunProgram;
  readonly startedAtMs: number;
}

export function begin<Message extends MessageShape>(asked: RunProgram, self: Self<Message>): Running {
  return { asked, startedAtMs: self.monotonicMs() };
}

/** Answers the order to run. `endedAtMs` is when the work was over, if that was before the answer was known. */
export function finish<Message extends MessageShape>(
  running: Running | undefined,
  self: Self<Message>,
  answer: number,
  endedAtMs: number = self.monotonicMs(),
): undefined {
  if (running === undefined) throw new Error('a run must have begun before it ends');
  const report: RunReport = { elapsedMs: endedAtMs - running.startedAtMs, answer };
  if (replyTo(self, running.asked, report) === 'refused') throw new Error('the answer of a run must find room');
  return undefined;
}

/** Tells a message that must find room because the program bounds what is under way; throws when it does not. */
export function mustTell<Message extends MessageShape, Other extends MessageShape>(
  self: Self<Message>,
  to: ActorRef<Other>,
  message: Other,
): void {
  const outcome = self.tell(to, message);
  if (outcome !== 'sent')
    throw new Error(`${message.type} from ${self.path} to ${to.path} must be sent, was ${outcome}`);
}

/** The suite's own generator: the same numbers in every language. */
export function nextRandom(value: number): number {
  return (value * 1_309 + 13_849) & 65_535;
}

/** Makes a seat whose arguments fit its kind. */
export function seat<Args, State, Message extends MessageShape>(
  id: string,
  kind: ActorKind<Args, State, Message>,
  args: Args,
  side: 0 | 1,
): Seat {
  return { id, kind: kind.kind, args, side };
}

/** Makes `count` seats with ids `prefix/0` and on. */
export function seats(count: number, make: (index: number) => Seat): readonly Seat[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
