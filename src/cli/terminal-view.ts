/** Shows the running engine while it runs: a picture drawn in place on a terminal, single lines elsewhere. Main thread only. */
import type { TradingSummary } from '../../actors/observer.ts';
import type { Readiness } from '../control/inspectable.ts';
import type { SystemSnapshot } from '../runtime/snapshot.ts';
import type { JournalVerdict } from '../storage/verdict.ts';
import { DrawnPicture, isDrawable, wantsColors } from './drawn-picture.ts';
import type { ViewOutput } from './drawn-picture.ts';
import { changeLines, standingLine } from './summary-lines.ts';
import { renderSummary } from './summary-view.ts';
import { sanitize } from './terminal-text.ts';

/** Everything that is shown, at one instant. */
export interface SummaryInput {
  /** Undefined while the observer does not answer. */
  readonly trading: TradingSummary | undefined;
  readonly snapshot: SystemSnapshot;
  readonly readiness: Readiness;
  /** Where the control server answers. */
  readonly address: string;
  readonly boot: number;
  /** What the opening of the journal found. */
  readonly journal: JournalVerdict;
  /** Calendar ms, for how long pairs are held; without it the time of the last scan serves. */
  readonly nowMs?: number;
}

export interface TerminalViewOptions {
  readonly read: () => Promise<SummaryInput>;
  /** Default `process.stdout`. */
  readonly output?: ViewOutput;
  /** Default `process.env`; `NO_COLOR` and `TERM` are looked at. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Pause between two looks, ms. Default 500 on a terminal, 1,000 elsewhere. */
  readonly pauseMs?: number;
  /** Pause between two lines on how things stand, where there is no terminal, ms. Default 10,000. */
  readonly standingMs?: number;
}

export interface TerminalView {
  /** Prints a line of text that stays, above the picture. */
  say(text: string): void;
  /** Ends the view; the last picture stays. */
  stop(): void;
}

/** Shows the first picture at once and goes on until `stop`. What cannot be read is tried again: the view never fails. */
export function startTerminalView(options: TerminalViewOptions): TerminalView {
  const output = options.output ?? process.stdout;
  const environment = options.environment ?? process.env;
  const isDrawn = isDrawable(output, environment);
  const screen = isDrawn
    ? new DrawnScreen(output, wantsColors(environment))
    : new PlainScreen(output, options.standingMs ?? 10_000);
  const pauseMs = options.pauseMs ?? (isDrawn ? 500 : 1_000);
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const look = async (): Promise<void> => {
    try {
      const input = await options.read();
      if (!isStopped) screen.show(input);
    } catch {
      // The engine is starting or ending: the next look tells more.
    }
    if (!isStopped) timer = setTimeout(() => void look(), pauseMs);
  };
  void look();
  return {
    say: (text) => screen.say(sanitize(text)),
    stop: () => {
      if (isStopped) return;
      isStopped = true;
      clearTimeout(timer);
      screen.end();
    },
  };
}

interface Screen {
  show(input: SummaryInput): void;
  say(text: string): void;
  end(): void;
}

class DrawnScreen implements Screen {
  readonly #picture: DrawnPicture;
  readonly #isColored: boolean;

  constructor(output: ViewOutput, isColored: boolean) {
    this.#picture = new DrawnPicture(output);
    this.#isColored = isColored;
  }

  show(input: SummaryInput): void {
    this.#picture.show(renderSummary(input, this.#picture.columns, this.#isColored));
  }

  say(text: string): void {
    this.#picture.say(text);
  }

  end(): void {
    this.#picture.end();
  }
}

/** One line for each change, and one now and then when there is none. */
class PlainScreen implements Screen {
  readonly #output: ViewOutput;
  readonly #standingMs: number;
  #last: SummaryInput | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(output: ViewOutput, standingMs: number) {
    this.#output = output;
    this.#standingMs = standingMs;
  }

  show(input: SummaryInput): void {
    for (const line of changeLines(this.#last, input)) this.say(line);
    const becameReady = input.readiness.ready && this.#last?.readiness.ready !== true;
    if (becameReady || performance.now() - this.#toldAtMs >= this.#standingMs) {
      this.#toldAtMs = performance.now();
      this.say(standingLine(input));
    }
    this.#last = input;
  }

  say(text: string): void {
    this.#output.write(`${text}\n`);
  }

  end(): void {
    // Every line was complete.
  }
}
