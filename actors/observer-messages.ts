/** What the observer (the latest public picture of everything, for terminal and endpoint) understands. Types only. */
import type { EngineStateChanged } from './guard-messages.ts';
import type { MarketEvent } from './connector-messages.ts';
import type { IdentitiesChecked } from './monitor-messages.ts';
import type { PairChanged } from './position-messages.ts';
import type { OpportunitiesScanned } from './strategy-messages.ts';

export type ObserverMessage =
  | Extract<MarketEvent, { type: 'venue-status' | 'account-changed' }>
  | PairChanged
  | EngineStateChanged
  | OpportunitiesScanned
  | IdentitiesChecked;
