/**
 * The same kind of system in virtual time: a day passes in a moment, and the same seed gives the same events. Run it with
 * `node virtual-time.ts`.
 */
import type { ActorKind } from '../actor.ts';
import { startVirtual } from '../virtual-system.ts';

type ClockMessage = { readonly type: 'hour-passed' };

const HOUR_MS = 3_600_000;

const clock: ActorKind<null, { hours: number }, ClockMessage> = {
  kind: 'clock',
  delivery: { 'hour-passed': { class: 'must-deliver', priority: 'normal' } },
  start(_args, self) {
    self.after(HOUR_MS, { type: 'hour-passed' });
    return { hours: 0 };
  },
  receive(state, _message, self) {
    state.hours += 1;
    // Some jitter, from the actor's own stream: another seed, another day.
    self.after(HOUR_MS * (1 - self.random('jitter').nextFraction() / 1_000), { type: 'hour-passed' });
    return state;
  },
  digest: (state) => state.hours,
};

function runDay(seed: number): { readonly hours: unknown; readonly hash: string } {
  const system = startVirtual({
    tree: { type: 'supervisor', id: 'root', children: [{ type: 'actor', id: 'clock', kind: 'clock', args: null }] },
    kinds: [clock],
    portsFor: () => ({}),
    calendar: { type: 'scaled', startAtMs: 0, scale: 1 },
    log: () => {},
    seed,
  });
  system.runUntil(24.5 * HOUR_MS);
  return { hours: system.inspect('clock')?.digest, hash: system.eventHash() };
}

const [first, again, other] = [runDay(1), runDay(1), runDay(2)];
if (first.hours !== 24 || first.hash !== again.hash || first.hash === other.hash)
  throw new Error(`a day must have 24 hours and one hash per seed, was ${JSON.stringify([first, again, other])}`);
console.log(`24 hours passed; seed 1 gives the same events every time, seed 2 others`);
