/** Reads the tables that source files draw of their state machines, so that a test can hold drawing and code against each other. Tests only. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

export type Transition = readonly [from: string, event: string, to: string];

/**
 * Returns the rows of the table in a file's comment whose heading is this one, cells trimmed. The file is named from the project's
 * root. Throws when there is no such table: a drawing that was moved away must not pass for an empty one.
 */
export function drawnTable(file: string, heading: readonly string[]): readonly (readonly string[])[] {
  const lines = readFileSync(join(import.meta.dirname, '..', file), 'utf8').split('\n');
  const rows = lines.map((line) => cellsOf(line));
  const at = rows.findIndex((cells) => cells !== undefined && cells.join('|') === heading.join('|'));
  if (at < 0) throw new Error(`${file} must draw a table | ${heading.join(' | ')} |`);
  const drawn: (readonly string[])[] = [];
  // The line under the heading only separates.
  for (const cells of rows.slice(at + 2)) {
    if (cells === undefined) break;
    if (cells.length !== heading.length)
      throw new Error(`${file}: a row must have ${heading.length} cells, was | ${cells.join(' | ')} |`);
    drawn.push(cells);
  }
  return drawn;
}

function cellsOf(line: string): readonly string[] | undefined {
  const row = /^ \* \| (.*) \|$/.exec(line);
  return row?.[1]?.split('|').map((cell) => cell.trim());
}

/** The drawn transitions, one for each pair of what a row's first two cells list. */
export function drawnTransitions(file: string): readonly Transition[] {
  return drawnTable(file, ['from', 'event', 'to']).flatMap(([from = '', event = '', to = '']) =>
    list(from).flatMap((one) => list(event).map((what): Transition => [one, what, to])),
  );
}

function list(cell: string): readonly string[] {
  return cell.split(',').map((entry) => entry.trim());
}

/** Holds the drawing against what the code does: no row may be missing, none too many, none twice. */
export function expectDrawn(file: string, done: Iterable<Transition>): void {
  const drawn = drawnTransitions(file).map(text).toSorted();
  const real = [...new Set([...done].map(text))].toSorted();
  expect(drawn, `the table in ${file}`).toEqual(real);
}

function text([from, event, to]: Transition): string {
  return `${from} | ${event} | ${to}`;
}

/**
 * Plays every event in every state and returns what changes: each sample is a state of the machine under the name it has in the
 * drawing. What an event leaves as it is, is not drawn.
 */
export function changesOf<State>(
  samples: Readonly<Record<string, State>>,
  events: Readonly<Record<string, (state: State) => State>>,
  nameOf: (state: State) => string,
): readonly Transition[] {
  return Object.entries(samples).flatMap(([from, state]) => {
    if (nameOf(state) !== from) throw new Error(`a sample of ${from} must be in that state, is ${nameOf(state)}`);
    return Object.entries(events).flatMap(([event, play]): Transition[] => {
      const to = nameOf(play(state));
      return to === from ? [] : [[from, event, to]];
    });
  });
}
