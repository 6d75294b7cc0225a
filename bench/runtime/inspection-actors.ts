/** The load of `inspection-cost`: a source that answers each frame of its port with one message to a consumer. */
import { refOf, type ActorKind } from '../../src/runtime/actor.ts';
import type { PortsContext } from '../../src/runtime/ports-context.ts';
import { loadMessage, type LoadMessage } from './load-actors.ts';

export type SourceMessage =
  | { readonly type: 'produce'; readonly to: string; readonly count: number; readonly ratePerSecond: number }
  | { readonly type: 'load-frame'; readonly number: number };

export interface SourcePorts {
  /** Delivers frames with the numbers from..until-1, later. */
  read(from: number, until: number): void;
}

/** Frames delivered at once; the next ones come when the last was told on. */
const FRAMES = 200;

interface SourceState {
  to: string;
  count: number;
}

export const source: ActorKind<unknown, SourceState, SourceMessage, SourcePorts> = {
  kind: 'source',
  delivery: {
    produce: { class: 'must-deliver', priority: 'normal' },
    'load-frame': { class: 'must-deliver', priority: 'order' },
  },
  start: () => ({ to: '', count: 0 }),
  receive(state, message, self) {
    if (message.type === 'produce') {
      state.to = message.to;
      state.count = message.count;
      self.ports.read(0, Math.min(FRAMES, state.count));
      return state;
    }
    const load: LoadMessage = loadMessage(message.number, 0);
    const outcome = self.tell(refOf<LoadMessage>(state.to), load);
    // What is refused is read again: a port that delivers has no other way to be slowed down here.
    if (outcome === 'refused') self.ports.read(message.number, message.number + 1);
    const next = message.number + 1;
    if (outcome !== 'refused' && next % FRAMES === 0 && next < state.count)
      self.ports.read(next, Math.min(next + FRAMES, state.count));
    return state;
  },
};

export function sourcePorts(context: PortsContext): SourcePorts {
  return {
    read: (from, until) => {
      context.schedule(0, () => {
        for (let number = from; number < until; number++) {
          const frame: SourceMessage = { type: 'load-frame', number };
          context.deliver(frame);
        }
      });
    },
  };
}
