/**
 * Ties a worker's life to the other threads and unties it when it is over: fresh rings, ports for nudges, and the farewell in which
 * every survivor reads what a dead thread had published. One thing at a time, so that each life sees the threads before it whole or
 * not at all. Main thread.
 *
 *   begun worker --> rings of a new generation --> attached, its peers told --> ... --> dead, survivors read its rings to the end
 */
import { transfer } from 'comlink';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { ActorPath } from './actor.ts';
import type { AttachOptions, PeerLink } from './control-plane.ts';
import type { PlacementTable } from './placement.ts';
import { SLOT, type Segment } from './segment.ts';
import type { PlaceNews } from './thread-place-news.ts';
import type { ThreadIdentity, ThreadRuntime } from './thread-runtime.ts';
import { CALL_DEADLINE_MS, type WorkerKeeper } from './worker-keeper.ts';

const MAIN_INDEX = 0;
/** Time for survivors to say they took leave of a dead thread. */
const LEAVE_DEADLINE_MS = 5_000;

/** The system the lives belong to. */
export interface AttachedSystem {
  /** All threads there ever were, by number; main is the first. */
  readonly threads: readonly ThreadIdentity[];
  /** Workers by name. */
  readonly keepers: ReadonlyMap<string, WorkerKeeper>;
  readonly segment: Segment;
  /** The main thread's own. */
  readonly runtime: ThreadRuntime;
  readonly placement: PlacementTable;
  readonly placeNews: PlaceNews;
  /** Called when a life begins to be attached; returns what it is told. */
  readonly optionsFor: (keeper: WorkerKeeper) => AttachOptions;
  readonly onAttached: (keeper: WorkerKeeper) => void;
  readonly onCallFailed: (keeper: WorkerKeeper, error: unknown) => void;
}

export class ThreadAttachments {
  readonly #system: AttachedSystem;
  /** Lives each thread began before its present one, by its number: rings between two threads are numbered by the sum. */
  readonly #epochs = new Map<number, number>();
  /** Survivors' farewells to a thread's latest dead lives: its rings of the one before last are free when the first settled. */
  readonly #farewells = new Map<string, { readonly previous: Promise<unknown>; readonly latest: Promise<unknown> }>();
  #last: Promise<void> = Promise.resolve();

  constructor(system: AttachedSystem) {
    this.#system = system;
  }

  /** Attaches a begun worker when its turn comes; nothing happens when that life is over by then. Rejects when it cannot be attached. */
  attach(keeper: WorkerKeeper): Promise<void> {
    const { incarnation } = keeper;
    return this.alone(async () => {
      // It may have died while it waited its turn; its next life comes with its own turn.
      if (keeper.isBegun && keeper.incarnation === incarnation) await this.#attachNow(keeper);
    });
  }

  /** Runs `action` when no attachment, move or removal is under way; the next one waits for it. */
  alone(action: () => Promise<void>): Promise<void> {
    const done = this.#last.then(action);
    this.#last = done.catch(() => {
      // The caller deals with the failure; what comes next does not depend on it.
    });
    return done;
  }

  /** Settles when nothing is under way that was asked for before. */
  settled(): Promise<void> {
    return this.#last;
  }

  /** Every survivor reads what the dead thread published, and keeps what it had not handled. Settles when all did. */
  takeLeave(
    keeper: WorkerKeeper,
    reason: string,
    incarnations: ReadonlyMap<ActorPath, number>,
  ): Promise<readonly unknown[]> {
    const { segment, runtime, keepers, onCallFailed } = this.#system;
    const inFlightFrom = segment.load(keeper.index, SLOT.inFlightSource) - 1;
    const inFlightSequence = segment.load(keeper.index, SLOT.inFlightSequence);
    const sequenceFor = (index: number): number | undefined => (index === inFlightFrom ? inFlightSequence : undefined);
    runtime.peerDied(keeper.name, reason, incarnations, sequenceFor(MAIN_INDEX));
    const survivors = [...keepers.values()].filter((peer) => peer !== keeper && peer.life !== undefined);
    const latest = Promise.all(
      survivors.map((peer) =>
        peer
          .call('peerDied', LEAVE_DEADLINE_MS, (control) =>
            control.peerDied(keeper.name, reason, incarnations, sequenceFor(peer.index)),
          )
          .catch((error: unknown) => onCallFailed(peer, error)),
      ),
    );
    const previous = this.#farewells.get(keeper.name)?.latest ?? Promise.resolve();
    this.#farewells.set(keeper.name, { previous, latest });
    return latest;
  }

  /** Attaches a begun worker: fresh rings, the other threads' ports, then whatever waited for it. */
  async #attachNow(keeper: WorkerKeeper): Promise<void> {
    const { segment, runtime, keepers, placement, placeNews, onAttached, onCallFailed } = this.#system;
    // The bank of rings for this life was last used two lives ago: all survivors must have let go of it.
    await this.#farewells.get(keeper.name)?.previous;
    const epoch = keeper.incarnation - 1;
    this.#epochs.set(keeper.index, epoch);
    segment.resetSlot(keeper.index, epoch);
    const peers = [...keepers.values()].filter((peer) => peer !== keeper && peer.life !== undefined);
    const links: PeerLink[] = [];
    const mainPort = this.#linkPair(keeper.index, MAIN_INDEX, links);
    const backLinks = peers.map((peer) => ({ peer, link: this.#linkPair(keeper.index, peer.index, links) }));
    const attachOptions = this.#system.optionsFor(keeper);
    const { version } = placeNews;
    await keeper.attach(attachOptions, links);
    // Actors may have come and gone while the thread was on its way.
    if (placeNews.version !== version) {
      const removed = attachOptions.places.filter((place) => placement.byPath(place.path)?.index !== place.index);
      await keeper.call('places', CALL_DEADLINE_MS, (control) => control.updatePlaces(placement.places, removed));
    }
    runtime.attachPeer(mainPort.identity, mainPort.index, mainPort.generation, mainPort.port);
    for (const { peer, link } of backLinks) {
      if (peer.life !== undefined)
        peer
          .call('attachPeer', CALL_DEADLINE_MS, (control) => control.attachPeer(transfer(link, [link.port])))
          .catch((error: unknown) => onCallFailed(peer, error));
    }
    onAttached(keeper);
  }

  /** Prepares rings and a nudge channel between two threads; adds the first one's end to `links` and returns the other's. */
  #linkPair(index: number, peerIndex: number, links: PeerLink[]): PeerLink {
    const generation = (this.#epochs.get(index) ?? 0) + (this.#epochs.get(peerIndex) ?? 0);
    this.#system.segment.resetPair(index, peerIndex, generation);
    const channel: { readonly port1: MessagePort; readonly port2: MessagePort } = new MessageChannel();
    links.push({ identity: this.#identity(peerIndex), index: peerIndex, generation, port: channel.port1 });
    return { identity: this.#identity(index), index, generation, port: channel.port2 };
  }

  #identity(index: number): ThreadIdentity {
    const { threads } = this.#system;
    const identity = threads[index];
    if (identity === undefined) throw new Error(`a thread's number must be below ${threads.length}, was ${index}`);
    return identity;
  }
}
