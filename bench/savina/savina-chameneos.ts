/**
 * How many meetings a second can one actor arrange between a hundred others?
 *
 *   [creature/0..99] --meet--> [mall] --meet-other--> [creature] --change--> [creature]     across: the mall on one thread, all creatures on
 *                                                                                           the other
 *
 * Realistic because one mailbox that everybody writes to is what a risk guard has.
 */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { measuring } from './measuring.ts';
import { begin, DIRECTOR, finish, mustTell, NORMAL, problemOf, seat, seats } from './program.ts';
import type { Program, Running, RunProgram } from './program.ts';

type CreatureRef = ActorRef<CreatureMessage>;
type MallMessage =
  | RunProgram
  | { readonly type: 'meet'; readonly color: number; readonly from: CreatureRef }
  | { readonly type: 'meetings-counted'; readonly meetings: number };
type CreatureMessage =
  | { readonly type: 'go-to-mall' }
  | { readonly type: 'meet-other'; readonly color: number; readonly from: CreatureRef }
  | { readonly type: 'change-color'; readonly color: number }
  | { readonly type: 'go-home' };

interface MallState {
  readonly creatures: readonly CreatureRef[];
  readonly meetings: number;
  meetingsLeft: number;
  waiting: CreatureRef | undefined;
  counted: number;
  total: number;
  running: Running | undefined;
}

const mall: ActorKind<{ readonly creatures: number; readonly meetings: number }, MallState, MallMessage> = {
  kind: 'chameneos-mall',
  delivery: { 'run-program': NORMAL, meet: NORMAL, 'meetings-counted': NORMAL },
  start: ({ creatures, meetings }) => ({
    creatures: Array.from({ length: creatures }, (_, index) => refOf<CreatureMessage>(`creature/${index}`)),
    meetings,
    meetingsLeft: 0,
    waiting: undefined,
    counted: 0,
    total: 0,
    running: undefined,
  }),
  receive(state, message, self) {
    switch (message.type) {
      case 'run-program':
        state.running = begin(message, self);
        state.meetingsLeft = state.meetings;
        state.counted = 0;
        state.total = 0;
        for (const creature of state.creatures) mustTell(self, creature, { type: 'go-to-mall' });
        return state;
      case 'meet':
        if (state.meetingsLeft === 0) {
          mustTell(self, message.from, { type: 'go-home' });
        } else if (state.waiting === undefined) {
          state.waiting = message.from;
        } else {
          mustTell(self, state.waiting, { type: 'meet-other', color: message.color, from: message.from });
          state.waiting = undefined;
          state.meetingsLeft -= 1;
        }
        return state;
      case 'meetings-counted':
        state.counted += 1;
        state.total += message.meetings;
        if (state.counted === state.creatures.length) state.running = finish(state.running, self, state.total);
        return state;
    }
  },
};

interface CreatureState {
  color: number;
  meetings: number;
}

const creature: ActorKind<{ readonly color: number }, CreatureState, CreatureMessage> = {
  kind: 'chameneos-creature',
  delivery: { 'go-to-mall': NORMAL, 'meet-other': NORMAL, 'change-color': NORMAL, 'go-home': NORMAL },
  start: ({ color }) => ({ color, meetings: 0 }),
  receive(state, message, self) {
    switch (message.type) {
      case 'go-home':
        mustTell(self, MALL, { type: 'meetings-counted', meetings: state.meetings });
        state.meetings = 0;
        return state;
      case 'meet-other':
        state.color = complement(state.color, message.color);
        state.meetings += 1;
        mustTell(self, message.from, { type: 'change-color', color: state.color });
        break;
      case 'change-color':
        state.color = message.color;
        state.meetings += 1;
        break;
      case 'go-to-mall':
        break;
    }
    mustTell(self, MALL, { type: 'meet', color: state.color, from: self.ref });
    return state;
  },
};

const MALL: ActorRef<MallMessage> = refOf(DIRECTOR);

/** Returns the color of three that neither of two has; the same color stays. */
function complement(color: number, other: number): number {
  return color === other ? color : 3 - color - other;
}

export const program: Program = {
  name: 'savina-chameneos',
  erlangModule: 'savina_chameneos',
  topology: '100 -> 1 -> 100, each creature with one message under way',
  unit: 'meetings',
  kinds: [mall, creature],
  problem: problemOf(
    {
      within: { creatures: 100, meetings: 20_000 },
      across: { creatures: 100, meetings: 4_000 },
      small: { creatures: 10, meetings: 60 },
    },
    ({ creatures, meetings }) => ({
      seats: [
        ...seats(creatures, (index) => seat(`creature/${index}`, creature, { color: index % 3 }, 1)),
        seat(DIRECTOR, mall, { creatures, meetings }, 0),
      ],
      work: meetings,
      answer: 2 * meetings,
      parameters: [creatures, meetings],
    }),
  ),
};

export const name = 'savina-chameneos';
export const run = measuring(program);
