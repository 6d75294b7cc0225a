/** Draws one picture over and over in the same place of a terminal. Main thread only. */

/** The part of `process.stdout` that is used. */
export interface ViewOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Whether pictures can be drawn there. */
export function isDrawable(output: ViewOutput, environment: Readonly<Record<string, string | undefined>>): boolean {
  return output.isTTY === true && environment.TERM !== 'dumb';
}

/** Whether the user did not ask for plain text. */
export function wantsColors(environment: Readonly<Record<string, string | undefined>>): boolean {
  return environment.NO_COLOR === undefined || environment.NO_COLOR === '';
}

/** The cursor rests, hidden, on the line below the picture. */
export class DrawnPicture {
  readonly #output: ViewOutput;
  #lines: readonly string[] = [];
  #columns = 0;

  constructor(output: ViewOutput) {
    this.#output = output;
    output.write(HIDE_CURSOR);
  }

  get columns(): number {
    return sizeOr(this.#output.columns, 80);
  }

  /** Replaces the picture. What does not fit the height is left out at the end, blank lines first. */
  show(picture: readonly string[]): void {
    // The last line of the terminal is the cursor's: writing a picture as high as the terminal would scroll it away.
    const rowsMax = Math.max(1, sizeOr(this.#output.rows, 24) - 1);
    const lines = picture.length <= rowsMax ? picture : picture.filter((line) => line !== '');
    const missing = lines.length - rowsMax;
    const shown = missing <= 0 ? lines : [...lines.slice(0, rowsMax - 1), `… ${missing + 1} more lines`];
    this.#draw('', shown, this.columns);
  }

  /** Puts a line that stays above the picture. */
  say(text: string): void {
    this.#draw(`${text}${CLEAR_TO_LINE_END}\n`, this.#lines, this.#columns);
  }

  /** Leaves the last picture where it is and gives the cursor back. */
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

/** Some terminals do not know their size and say 0. */
function sizeOr(size: number | undefined, usual: number): number {
  return size === undefined || size === 0 ? usual : size;
}
