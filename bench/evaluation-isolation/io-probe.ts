/** What evaluation-isolation measures with: an actor on the io thread that opens and closes windows. */
import { unreachable, type ActorKind } from '../../src/runtime/actor.ts';
import { replyTo, type Asked } from '../../src/runtime/ask.ts';

/** What a timer of the event loop was late by. */
export interface DelayMs {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** One window of the io thread. */
export interface IoWindow {
  readonly delayMs: DelayMs;
  /** Without the time in which the thread was ready to run and had no core; absent where the kernel does not tell. */
  readonly ownDelayMs?: DelayMs;
  /** When each venue frame was taken up by its connector, in order, on the clock of `process.hrtime.bigint()`. */
  readonly framesNs: readonly bigint[];
}

export interface IoProbePorts {
  /** Begins to record. */
  readonly open: () => void;
  /** Ends it and returns what was recorded. */
  readonly close: () => IoWindow;
}

export type IoProbeMessage =
  | ({ readonly type: 'open-io-window' } & Asked)
  /** Answered with the IoWindow. */
  | ({ readonly type: 'close-io-window' } & Asked);

export const ioProbe: ActorKind<Readonly<Record<string, never>>, undefined, IoProbeMessage, IoProbePorts> = {
  kind: 'bench-io-probe',
  delivery: {
    'open-io-window': { class: 'must-deliver', priority: 'normal' },
    'close-io-window': { class: 'must-deliver', priority: 'normal' },
  },

  start: () => undefined,

  receive(state, message, self) {
    switch (message.type) {
      case 'open-io-window':
        self.ports.open();
        replyTo(self, message, undefined);
        return state;
      case 'close-io-window':
        replyTo(self, message, self.ports.close());
        return state;
      default:
        return unreachable(message);
    }
  },
};
