/** What threads tell each other about actors: death watch, links, ends and logs. Plain data on the control lanes. Types only. */
import type { ActorPath } from './actor.ts';
import type { LaneName } from './actor-moves.ts';
import type { LogRecord } from './ports-context.ts';
import type { ExitReason } from './supervisor-protocol.ts';

/** A record between threads; plain data. */
export type SystemRecord =
  | {
      readonly type: 'watch';
      readonly watcher: ActorPath;
      readonly watcherIncarnation: number;
      readonly target: ActorPath;
      /** 0: the life at the path now or, between two lives, the next one. */
      readonly targetIncarnation: number;
    }
  | {
      readonly type: 'unwatch';
      readonly watcher: ActorPath;
      readonly watcherIncarnation: number;
      readonly target: ActorPath;
    }
  | {
      readonly type: 'down';
      readonly watcher: ActorPath;
      readonly watcherIncarnation: number;
      readonly target: ActorPath;
      readonly incarnation: number;
      readonly reason: string;
    }
  /** Ties the life `from` to the one at `to` (0: whichever lives there), which answers with `linked-ended` if there is none. */
  | {
      readonly type: 'link';
      readonly from: ActorPath;
      readonly fromIncarnation: number;
      readonly to: ActorPath;
      readonly toIncarnation: number;
    }
  | { readonly type: 'unlink'; readonly from: ActorPath; readonly fromIncarnation: number; readonly to: ActorPath }
  /** To a life that is tied to `from`, which ended. `toIncarnation` 0: whichever life there is tied to it. */
  | {
      readonly type: 'linked-ended';
      readonly to: ActorPath;
      readonly toIncarnation: number;
      readonly from: ActorPath;
      readonly reason: ExitReason;
    }
  /** To the main thread: a life ended by itself, by a throw or in order; the actor's supervisor decides. */
  | { readonly type: 'exited'; readonly path: ActorPath; readonly incarnation: number; readonly reason: ExitReason }
  /** A sender's last word on this lane to an actor that moves away; see actor-moves.ts. */
  | { readonly type: 'move-mark'; readonly path: ActorPath; readonly lane: LaneName }
  /** Everything of an actor that moves here has come on this lane. */
  | { readonly type: 'move-finished'; readonly path: ActorPath; readonly lane: LaneName }
  /** To the main thread: an actor's mailbox is complete at its new place. */
  | { readonly type: 'arrived'; readonly path: ActorPath }
  /** An actor named this trace: what belongs to it is kept here too. */
  | { readonly type: 'trace-kept'; readonly traceId: number }
  /** To the main thread's log sink. May be dropped when the lane is full; drops are counted. */
  | { readonly type: 'log'; readonly record: LogRecord };
