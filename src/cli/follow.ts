/** Shows an answer once, or goes on showing it until Ctrl-C. Main thread only. */
import type { Command } from 'commander';
import type { CommandFailure } from './command-failure.ts';
import { DrawnPicture, isDrawable, wantsColors } from './drawn-picture.ts';
import { COLUMNS_UNBOUNDED } from './journal-rows.ts';
import { listenForStop } from './stop-signals.ts';
import { paint } from './terminal-text.ts';
import type { Span } from './terminal-text.ts';

const LOOK_MS = 1_000;

export interface FollowOptions {
  readonly follow?: true;
  readonly json?: true;
}

/** One look at something. */
export interface View {
  /** For people, laid out for so many columns. */
  readonly lines: (columns: number) => readonly (readonly Span[])[];
  /** For machines: one document, or one a line. */
  readonly json: readonly string[];
  /** What the command fails with when it was asked for one look; who follows is told by the view itself. */
  readonly failure?: CommandFailure;
}

export function addFollowOption(command: Command): Command {
  return command.option(
    '--follow',
    'go on showing it until Ctrl-C: drawn in place on a terminal, elsewhere printed anew when it changed',
  );
}

/** Prints what `look` sees. Throws its failure, and whatever `look` throws, also while following. */
export async function showOrFollow(options: FollowOptions, look: () => Promise<View>): Promise<void> {
  if (options.follow === true) {
    await followView(options, look);
    return;
  }
  const view = await look();
  const lines = options.json === true ? view.json : painted(view, widthOf(process.stdout), process.stdout.isTTY);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (view.failure !== undefined) throw view.failure;
}

async function followView(options: FollowOptions, look: () => Promise<View>): Promise<void> {
  if (options.json !== true && isDrawable(process.stdout, process.env)) {
    const picture = new DrawnPicture(process.stdout);
    const isColored = wantsColors(process.env);
    await untilStopped(async () => {
      const view = await look();
      picture.show(painted(view, picture.columns, isColored));
    }).finally(() => picture.end());
    return;
  }
  let last: ReadonlySet<string> = new Set();
  await untilStopped(async () => {
    const view = await look();
    // Of several documents only those that changed; text is one picture and changes as a whole.
    const parts = options.json === true ? view.json : [painted(view, COLUMNS_UNBOUNDED, false).join('\n')];
    const news = parts.filter((part) => !last.has(part));
    last = new Set(parts);
    if (news.length > 0) process.stdout.write(`${news.join('\n')}\n`);
  });
}

/** Looks once a second until a signal says stop. Ends by the failure when a look fails. */
export async function untilStopped(look: () => Promise<void>): Promise<void> {
  let stop = (): void => {};
  const stopped = new Promise<'stopped'>((resolve) => (stop = () => resolve('stopped')));
  const dispose = listenForStop({ onStop: stop, onHurry: stop });
  try {
    for (;;) {
      await look();
      const pause = new Promise<'looked'>((resolve) => setTimeout(() => resolve('looked'), LOOK_MS));
      if ((await Promise.race([stopped, pause])) === 'stopped') return;
    }
  } finally {
    dispose();
  }
}

function painted(view: View, columns: number, isColored: boolean): readonly string[] {
  return view.lines(columns).map((line) => paint(line, columns, isColored));
}

/** Output that is no terminal is as wide as its widest line. */
function widthOf(output: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return output.isTTY === true ? (output.columns ?? COLUMNS_UNBOUNDED) : COLUMNS_UNBOUNDED;
}
