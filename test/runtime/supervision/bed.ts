/** A test bed for supervision: a virtual system whose actors do what the test tells them, and a record of what they did. */
import { refOf, type ActorDown, type ActorKind } from '../../../src/runtime/actor.ts';
import type { AskReplied } from '../../../src/runtime/ask.ts';
import { askSupervisor, type ChildOutcome, type ChildRequest } from '../../../src/runtime/child-requests.ts';
import type { ActorSpec, ChildSpec, RestartType, SupervisorSpec } from '../../../src/runtime/child-spec.ts';
import type { LogRecord } from '../../../src/runtime/ports-context.ts';
import type { VirtualSystem } from '../../../src/runtime/system.ts';
import { startVirtual } from '../../../src/runtime/virtual-system.ts';

export type PuppetMessage =
  | { readonly type: 'crash' }
  | { readonly type: 'leave'; readonly kind: 'normal' | 'shutdown' }
  | { readonly type: 'link'; readonly to: string }
  | { readonly type: 'unlink'; readonly to: string }
  | { readonly type: 'watch'; readonly to: string }
  | { readonly type: 'ask-supervisor'; readonly supervisor: string; readonly request: ChildRequest }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'now-stop' }
  | ActorDown
  | AskReplied;

/** What the puppets are to do, by path, and what they did. */
export class Script {
  /** `start a`, `stop a`, in order. */
  readonly log: string[] = [];
  /** Starts that still fail. */
  readonly failingStarts = new Map<string, number>();
  readonly ignoring = new Set<string>();
  /** Puppets that take this long to stop; Infinity never stop by themselves. */
  readonly stopMs = new Map<string, number>();
  readonly startInfo = new Map<string, unknown>();
  /** `path: reason`, as the watcher heard of them. */
  readonly downs: string[] = [];
  readonly answers: unknown[] = [];
  readonly notes: string[] = [];
  readonly args = new Map<string, unknown>();
}

/** The one kind of the test bed. */
export function puppetOf(script: Script): ActorKind<unknown, null, PuppetMessage> {
  const normal = { class: 'must-deliver', priority: 'normal' } as const;
  return {
    kind: 'puppet',
    delivery: {
      // Not must-deliver: that would be tried on the next life as well.
      crash: { class: 'state', keyFields: [] },
      leave: normal,
      link: normal,
      unlink: normal,
      watch: normal,
      'ask-supervisor': normal,
      note: normal,
      'now-stop': normal,
      'actor-down': { class: 'must-deliver', priority: 'risk' },
      'ask-replied': normal,
    },
    start(args, self) {
      script.log.push(`start ${self.path}`);
      script.args.set(self.path, args);
      const failures = script.failingStarts.get(self.path) ?? 0;
      if (failures > 0) {
        script.failingStarts.set(self.path, failures - 1);
        throw new Error('cannot start');
      }
      if (script.ignoring.has(self.path)) return self.ignore();
      self.startInfo(script.startInfo.get(self.path));
      return null;
    },
    receive(state, message, self) {
      switch (message.type) {
        case 'crash':
          throw new Error('boom');
        case 'leave':
          self.stop(message.kind);
          return state;
        case 'link':
          self.link(refOf(message.to));
          return state;
        case 'unlink':
          self.unlink(refOf(message.to));
          return state;
        case 'watch':
          self.watch(refOf(message.to));
          return state;
        case 'actor-down':
          script.downs.push(`${message.path}: ${message.reason}`);
          return state;
        case 'ask-supervisor':
          askSupervisor(self, message.supervisor, message.request, 7);
          return state;
        case 'ask-replied':
          script.answers.push(message.value);
          return state;
        case 'note':
          script.notes.push(`${self.path}#${self.incarnation}: ${message.text}`);
          return state;
        case 'now-stop':
          self.stop('shutdown');
          return state;
      }
    },
    stop(_state, _reason, self) {
      script.log.push(`stop ${self.path}`);
      const takesMs = script.stopMs.get(self.path);
      if (takesMs === undefined) return undefined;
      if (takesMs !== Infinity) self.after(takesMs, { type: 'now-stop' });
      return 'later';
    },
  };
}

export function puppet(id: string, restart?: RestartType, more: Partial<ActorSpec> = {}): ActorSpec {
  return { type: 'actor', id, kind: 'puppet', args: null, ...(restart === undefined ? {} : { restart }), ...more };
}

export function supervisor(id: string, more: Partial<SupervisorSpec> = {}): SupervisorSpec {
  return { type: 'supervisor', id, children: [], ...more };
}

/** Settings without any waiting between restarts and with room for many. */
export const EAGER = { intensity: 1_000, periodMs: 60_000, backoffMinMs: 0, backoffMaxMs: 0 } as const;

/** A running tree: `root` over an actor `observer`, which watches for the test, and the subjects. */
export class Bed {
  readonly script = new Script();
  readonly system: VirtualSystem;
  readonly records: LogRecord[] = [];

  constructor(...subjects: readonly ChildSpec[]) {
    this.system = startVirtual({
      tree: supervisor('root', { ...EAGER, children: [puppet('observer'), ...subjects] }),
      kinds: [puppetOf(this.script)],
      portsFor: () => ({}),
      calendar: { type: 'scaled', startAtMs: 0, scale: 1 },
      log: (record) => this.records.push(record),
      seed: 1,
      threads: [{ name: 'a' }, { name: 'b' }],
    });
    this.settle();
    this.fresh();
  }

  /** Everything done so far, oldest first. */
  get log(): readonly string[] {
    return this.script.log;
  }

  /** Runs what is due now and up to `forMs` later. */
  settle(forMs = 5): this {
    this.system.runUntil(this.system.monotonicMs() + forMs);
    return this;
  }

  /** Forgets what happened so far. */
  fresh(): this {
    this.script.log.length = 0;
    return this;
  }

  tell(path: string, message: PuppetMessage): this {
    this.system.tell(path, message);
    return this.settle();
  }

  crash(path: string): this {
    return this.tell(path, { type: 'crash' });
  }

  leave(path: string, kind: 'normal' | 'shutdown' = 'normal'): this {
    return this.tell(path, { type: 'leave', kind });
  }

  kill(path: string): this {
    this.system.kill(path);
    return this.settle();
  }

  watch(path: string): this {
    return this.tell('observer', { type: 'watch', to: path });
  }

  /** Asks and runs on until there is an answer. */
  request(supervisorId: string, request: ChildRequest): ChildOutcome {
    let outcome: ChildOutcome | undefined;
    this.system.request(supervisorId, request, (answer) => {
      if (outcome !== undefined) throw new Error('a request must be answered once');
      outcome = answer;
    });
    this.system.runWhile(() => outcome === undefined);
    if (outcome === undefined) throw new Error(`"${request.type}" must be answered`);
    return outcome;
  }

  /** Asks and does not wait; the answer is added to the list. */
  post(supervisorId: string, request: ChildRequest, answers: ChildOutcome[] = []): ChildOutcome[] {
    this.system.request(supervisorId, request, (answer) => answers.push(answer));
    return answers;
  }

  terminate(supervisorId: string, id: string): ChildOutcome {
    return this.request(supervisorId, { type: 'terminate-child', id });
  }

  /** `a:1 b:restarting c:down`, children with the number of their life. */
  children(supervisorId: string): string {
    const views = this.system.whichChildren(supervisorId) ?? [];
    return views
      .map(
        ({ id, child }) => `${id}:${child === undefined ? 'down' : child === 'restarting' ? child : child.incarnation}`,
      )
      .join(' ');
  }

  /** Returns how the last life of a supervisor ended. */
  endOf(supervisorId: string): LogRecord['fields'] {
    return this.records.findLast((record) => record.event === 'supervisor-ended' && record.path === supervisorId)
      ?.fields;
  }

  lives(path: string): number | undefined {
    return this.system.whereIs(path)?.incarnation;
  }
}
