/** Shows the running engine while it runs: a picture drawn in place on a terminal, single lines elsewhere. Main thread only. */
import type { TradingSummary } from '../../actors/observer.ts';
import type { Readiness } from '../control/inspectable.ts';
import type { SystemSnapshot } from '../runtime/snapshot.ts';
import type { JournalVerdict } from '../storage/verdict.ts';
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

/** The part of `process.stdout` that is used. */
export interface ViewOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
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
  const isDrawn = output.isTTY === true && environment.TERM !== 'dumb';
  const screen = isDrawn
    ? new DrawnScreen(output, environment.NO_COLOR === undefined || environment.NO_COLOR === '')
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

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Draws each picture over the last one. The cursor rests on the line below the picture. */
class DrawnScreen implements Screen {
  readonly #output: ViewOutput;
  readonly #isColored: boolean;
  #lines: readonly string[] = [];
  #columns = 0;

  constructor(output: ViewOutput, isColored: boolean) {
    this.#output = output;
    this.#isColored = isColored;
    output.write(HIDE_CURSOR);
  }

  show(input: SummaryInput): void {
    const columns = this.#output.columns ?? 80;
    // The last line of the terminal is the cursor's: writing a picture as high as the terminal would scroll it away.
    const rowsMax = Math.max(1, (this.#output.rows ?? 24) - 1);
    const picture = renderSummary(input, columns, this.#isColored);
    const lines = picture.length <= rowsMax ? picture : picture.filter((line) => line !== '');
    const missing = lines.length - rowsMax;
    const shown = missing <= 0 ? lines : [...lines.slice(0, rowsMax - 1), `… ${missing + 1} more lines`];
    this.#draw('', shown, columns);
  }

  say(text: string): void {
    this.#draw(`${text}${CLEAR_TO_LINE_END}\n`, this.#lines, this.#columns);
  }

  end(): void {
    this.#output.write(SHOW_CURSOR);
  }

  #draw(above: string, lines: readonly string[], columns: number): void {
    // In a terminal made narrower the old lines were broken into more: only a clean screen is certain then.
    const isReflowed = columns < this.#columns;
    const up = this.#lines.length === 0 ? '' : `\u001b[${this.#lines.length}A`;
    const start = isReflowed ? `\u001b[2J\u001b[H` : up;
    this.#output.write(
      `${start}\r${above}${lines.map((line) => `${line}${CLEAR_TO_LINE_END}\n`).join('')}${CLEAR_BELOW}`,
    );
    this.#lines = lines;
    this.#columns = columns;
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
