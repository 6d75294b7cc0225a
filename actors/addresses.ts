/** Where everybody lives: the paths of the supervision tree, one place. */
import { refOf } from '../src/runtime/actor.ts';
import type { ActorRef } from '../src/runtime/actor.ts';
import type { ConnectorMessage } from './connector-messages.ts';
import type { GuardMessage } from './guard-messages.ts';
import type { JournalMessage } from './journal-messages.ts';
import type { MonitorMessage } from './monitor-messages.ts';
import type { ObserverMessage } from './observer-messages.ts';
import type { PositionMessage } from './position-messages.ts';
import type { StrategyMessage } from './strategy-messages.ts';

export const journalRef: ActorRef<JournalMessage> = refOf('journal');
export const guardRef: ActorRef<GuardMessage> = refOf('guard');
export const strategyRef: ActorRef<StrategyMessage> = refOf('strategy');
export const monitorRef: ActorRef<MonitorMessage> = refOf('monitor');
export const observerRef: ActorRef<ObserverMessage> = refOf('observer');
/** One per venue account, for example `connector/lighter:main`. */
export function connectorRef(venue: string, account: string): ActorRef<ConnectorMessage> {
  return refOf(`connector/${venue}:${account}`);
}
/** One per canonical base, for example `position/BTC`. */
export function positionRef(base: string): ActorRef<PositionMessage> {
  return refOf(`position/${base}`);
}
