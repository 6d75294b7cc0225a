/**
 * What may be asked of a running supervisor about its children, and what it answers: OTP's child functions and their
 * errors. From the main thread through the system's functions; from an actor of any thread as a `supervisor-request`
 * message told to `SUPERVISORS_PATH`, answered by `ask-replied` (see ask.ts) with a ChildOutcome as its value.
 */
import { refOf, type ActorRef, type MessageShape, type Self, type TellOutcome } from './actor.ts';
import type { Asked } from './ask.ts';
import type { ChildSpec, RestartType, SupervisorSpec } from './child-spec.ts';
import { SUPERVISORS_PATH } from './placement.ts';

/** What a supervisor can be asked to do. */
export type ChildRequest =
  /** Adds a child behind the others and starts it. A child that cannot start is not kept, nor is a temporary one that ignores. */
  | { readonly type: 'start-child'; readonly spec: ChildSpec }
  /**
   * Starts one more child of a simple-one-for-one supervisor. `id` (its path) is made up from the template's when absent.
   * `args` replace the template's; fields of a plain object replace those of the template's plain object.
   */
  | { readonly type: 'start-dynamic-child'; readonly id?: string; readonly args?: unknown }
  /** Stops a child; its spec stays, except a temporary or dynamic one's. Done as well when it is down already. */
  | { readonly type: 'terminate-child'; readonly id: string }
  /** Starts a child that is down. */
  | { readonly type: 'restart-child'; readonly id: string }
  /** Forgets a child that is down. */
  | { readonly type: 'delete-child'; readonly id: string }
  /**
   * Replaces the supervisor's settings and specs. Children keep running; a new spec counts from the child's next start.
   * Children new in the spec are down until started, those missing in it stay as they are.
   */
  | { readonly type: 'change-supervisor'; readonly spec: SupervisorSpec };

/** Why a request was not carried out. */
export type ChildRefusal =
  /** A child of that id runs, or is being restarted. */
  | 'already-started'
  /** A child of that id exists and is down. */
  | 'already-present'
  | 'running'
  | 'restarting'
  | 'not-found'
  /** Children of a simple-one-for-one supervisor are neither restarted nor deleted by id, nor started from a spec. */
  | 'simple-one-for-one'
  /** Only a simple-one-for-one supervisor makes children from a template. */
  | 'not-simple-one-for-one'
  | 'faulty-spec'
  | 'start-failed'
  | 'no-such-supervisor'
  /** It does not run, or ended before it answered. */
  | 'supervisor-ended';

/** The one answer to a request. */
export type ChildOutcome =
  /** `info`: what the child handed to `self.startInfo`, absent when nothing. */
  | { readonly type: 'started'; readonly child: ActorRef; readonly info?: unknown }
  /** The child's start ended in `self.ignore()`, or its supervisor's `init` in `ignore`. */
  | { readonly type: 'ignored' }
  | { readonly type: 'done' }
  /** `child`: the living one, with `already-started`. */
  | { readonly type: 'refused'; readonly error: ChildRefusal; readonly detail: string; readonly child?: ActorRef };

/** One child as its supervisor sees it. */
export interface ChildView {
  readonly id: string;
  readonly type: ChildSpec['type'];
  readonly restart: RestartType;
  readonly significant: boolean;
  /** Its current life; `restarting` between two lives; undefined when it is down and stays so. */
  readonly child: ActorRef | 'restarting' | undefined;
}

/** What `countChildren` answers. */
export interface ChildCounts {
  /** Child specs; a simple-one-for-one supervisor has one. */
  readonly specs: number;
  /** Children that live. */
  readonly active: number;
  /** Children that are supervisors or actors, living or not. */
  readonly supervisors: number;
  readonly actors: number;
}

/** The message behind `askSupervisor`. */
export interface SupervisorRequestMessage extends MessageShape, Asked {
  readonly type: 'supervisor-request';
  readonly supervisor: string;
  readonly request: ChildRequest;
}

/** Asks a supervisor from inside an actor; the answer comes as `ask-replied` with this `askId` and a ChildOutcome. */
export function askSupervisor<Message extends MessageShape, Ports>(
  self: Self<Message, Ports>,
  supervisor: string,
  request: ChildRequest,
  askId: number,
): TellOutcome {
  const message: SupervisorRequestMessage = {
    type: 'supervisor-request',
    supervisor,
    request,
    replyTo: self.ref,
    askId,
  };
  return self.tell(refOf<SupervisorRequestMessage>(SUPERVISORS_PATH), message);
}

/** Returns the message when it is one of `askSupervisor`'s, else undefined. */
export function asSupervisorRequest(message: MessageShape): SupervisorRequestMessage | undefined {
  if (message.type !== 'supervisor-request') return undefined;
  if (!('supervisor' in message) || !('request' in message) || !('replyTo' in message) || !('askId' in message)) {
    return undefined;
  }
  // Only askSupervisor makes messages of this type, and only the runtime's codec carries them.
  return message as unknown as SupervisorRequestMessage;
}
