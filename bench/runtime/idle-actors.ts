/** An actor that never gets a message. */
import type { ActorKind } from '../../src/runtime/actor.ts';

export const idle: ActorKind<null, null, { readonly type: 'wake-up' }> = {
  kind: 'idle',
  delivery: { 'wake-up': { class: 'must-deliver', priority: 'normal' } },
  start: () => null,
  receive: (state) => state,
};
