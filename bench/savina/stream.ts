/** Sources that each tell every sink order events: the shapes one-to-one, three-to-one and fan-out. Any thread. */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { orderEvent, type OrderEvent } from './order-event.ts';
import { begin, DIRECTOR, finish, mustTell, NORMAL, seat, seats } from './program.ts';
import type { Problem, Running, RunProgram } from './program.ts';

type SourceMessage = { readonly type: 'stream' } | { readonly type: 'stream-more' };
type DirectorMessage = RunProgram | { readonly type: 'sink-full'; readonly sum: number };

/** Events built before others get their turn. */
const BATCH = 100;

interface DirectorState {
  readonly sources: number;
  readonly sinks: number;
  full: number;
  sum: number;
  running: Running | undefined;
}

const director: ActorKind<{ readonly sources: number; readonly sinks: number }, DirectorState, DirectorMessage> = {
  kind: 'stream-director',
  delivery: { 'run-program': NORMAL, 'sink-full': NORMAL },
  start: (args) => ({ ...args, full: 0, sum: 0, running: undefined }),
  receive(state, message, self) {
    if (message.type === 'run-program') {
      state.running = begin(message, self);
      state.full = 0;
      state.sum = 0;
      for (let index = 0; index < state.sources; index++)
        mustTell(self, refOf<SourceMessage>(`source/${index}`), { type: 'stream' });
      return state;
    }
    state.full += 1;
    state.sum += message.sum;
    if (state.full === state.sinks) state.running = finish(state.running, self, state.sum);
    return state;
  },
};

interface SourceState {
  readonly events: number;
  readonly sinks: readonly ActorRef<OrderEvent>[];
  /** The event being told, and to how many sinks it was told already. */
  number: number;
  told: number;
}

const source: ActorKind<{ readonly events: number; readonly sinks: number }, SourceState, SourceMessage> = {
  kind: 'stream-source',
  delivery: { stream: NORMAL, 'stream-more': NORMAL },
  start: ({ events, sinks }) => ({
    events,
    sinks: Array.from({ length: sinks }, (_, index) => refOf<OrderEvent>(`sink/${index}`)),
    number: 0,
    told: 0,
  }),
  receive(state, message, self) {
    if (message.type === 'stream') state.number = 0;
    const end = Math.min(state.events, state.number + BATCH);
    while (state.number < end) {
      const event = orderEvent(state.number);
      for (; state.told < state.sinks.length; state.told++) {
        const sink = state.sinks[state.told];
        if (sink === undefined) throw new Error('there must be a sink of that number');
        if (self.tell(sink, event) === 'sent') continue;
        self.after(0, { type: 'stream-more' });
        return state;
      }
      state.told = 0;
      state.number += 1;
    }
    if (state.number < state.events) self.tell(self.ref, { type: 'stream-more' });
    return state;
  },
};

interface SinkState {
  readonly events: number;
  received: number;
  sum: number;
}

const sink: ActorKind<{ readonly events: number }, SinkState, OrderEvent> = {
  kind: 'stream-sink',
  delivery: { 'order-event': NORMAL },
  start: ({ events }) => ({ events, received: 0, sum: 0 }),
  receive(state, event, self) {
    state.received += 1;
    state.sum += event.number;
    if (state.received < state.events) return state;
    mustTell(self, refOf<DirectorMessage>(DIRECTOR), { type: 'sink-full', sum: state.sum });
    state.received = 0;
    state.sum = 0;
    return state;
  },
};

export const streamKinds = [director, source, sink];

/** Sources are on one side, sinks on the other. `eventsEach`: built by each source, told to each sink. */
export function streamProblem(sources: number, sinks: number, eventsEach: number): Problem {
  const work = sources * sinks * eventsEach;
  return {
    seats: [
      ...seats(sinks, (index) => seat(`sink/${index}`, sink, { events: sources * eventsEach }, 1)),
      ...seats(sources, (index) => seat(`source/${index}`, source, { events: eventsEach, sinks }, 0)),
      seat(DIRECTOR, director, { sources, sinks }, 0),
    ],
    work,
    answer: (work * (eventsEach - 1)) / 2,
    parameters: [sources, sinks, eventsEach],
  };
}
