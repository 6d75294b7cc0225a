/** What one life of an actor can do, bound to its host; useless once that life ended. The hosting thread only. */
import {
  refOf,
  StartIgnored,
  type ActorPath,
  type ActorRef,
  type MessageShape,
  type RandomStream,
  type Self,
  type TellOutcome,
  type TimerRef,
  type Tracing,
} from './actor.ts';
import type { ActorCell, Life } from './actor-cell.ts';
import type { CellHost, Route } from './cell-host.ts';
import type { Metrics } from './metrics.ts';

/** The `self` of one life. Every function but `path`, `incarnation` and `ref` does nothing, or answers `dead`, once the life ended. */
export class ActorSelf implements Self<MessageShape> {
  readonly #cell: ActorCell;
  readonly #host: CellHost;
  #life: Life | undefined;
  /** Made when first asked for: an idle actor is to be small. */
  #ref: ActorRef<MessageShape> | undefined;
  /** To whom it told last: the next message often goes there too. */
  #route: Route | undefined;

  constructor(cell: ActorCell, host: CellHost) {
    this.#cell = cell;
    this.#host = host;
  }

  get path(): ActorPath {
    return this.#cell.path;
  }

  get incarnation(): number {
    return this.#life?.incarnation ?? 0;
  }

  get ref(): ActorRef<MessageShape> {
    return (this.#ref ??= { ...refOf<MessageShape>(this.#cell.path), incarnation: this.incarnation });
  }

  /** Called once by the host, before the actor sees this object. */
  bind(life: Life): void {
    this.#life = life;
  }

  get ports(): unknown {
    return this.#life?.ports;
  }

  get tracing(): Tracing {
    return this.#host.tracing;
  }

  get metrics(): Metrics {
    return this.#host.metrics;
  }

  nowMs(): number {
    return this.#host.nowMs();
  }

  monotonicMs(): number {
    return this.#host.monotonicMs();
  }

  tell<Other extends MessageShape>(to: ActorRef<Other>, message: Other): TellOutcome {
    if (this.#current() === undefined) return 'dead';
    const host = this.#host;
    let route = this.#route;
    if (route === undefined || route.path !== to.path || route.version !== host.routesVersion)
      route = this.#route = host.routeTo(to.path);
    return host.tellBy(route, this.path, to, message);
  }

  after(delayMs: number, message: MessageShape): TimerRef {
    const life = this.#current();
    return life === undefined ? 0 : this.#host.addTimer(this.#cell, life, delayMs, message);
  }

  cancel(timer: TimerRef): void {
    const life = this.#current();
    if (life !== undefined) this.#host.cancelTimer(life, timer);
  }

  watch(target: ActorRef): void {
    const life = this.#current();
    if (life !== undefined) this.#host.watch(this.#cell, life, target);
  }

  unwatch(target: ActorRef): void {
    const life = this.#current();
    if (life !== undefined) this.#host.unwatch(this.#cell, life, target.path);
  }

  link(target: ActorRef): void {
    const life = this.#current();
    if (life !== undefined) this.#host.link(this.#cell, life, target);
  }

  unlink(target: ActorRef): void {
    const life = this.#current();
    if (life !== undefined) this.#host.unlink(this.#cell, life, target.path);
  }

  stop(kind: 'normal' | 'shutdown' = 'normal', detail: string = kind): void {
    const life = this.#current();
    if (life !== undefined) this.#host.endAfterCall(this.#cell, life, { kind, detail }, !life.isStopping);
  }

  ignore(): never {
    throw new StartIgnored(`${this.path} has nothing to do`);
  }

  startInfo(info: unknown): void {
    const life = this.#current();
    if (life !== undefined) this.#host.noteStartInfo(this.#cell, info);
  }

  random(purpose: string): RandomStream {
    const life = this.#life;
    if (life === undefined) throw new Error(`random of ${this.path} must be used inside a life of the actor`);
    return this.#host.randomOf(this.#cell, life, purpose);
  }

  log(level: 'debug' | 'info' | 'warn' | 'error', event: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#host.log(level, event, fields, this.#cell, this.incarnation);
  }

  count(name: string, by = 1): void {
    const counters = (this.#cell.counters ??= new Map<string, number>());
    counters.set(name, (counters.get(name) ?? 0) + by);
  }

  /** Returns the life while it lasts: an actor that kept `self` past its end reaches nobody. */
  #current(): Life | undefined {
    return this.#cell.life === this.#life ? this.#life : undefined;
  }
}
