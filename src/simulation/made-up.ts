/** Markets that no venue lists: SIM1 to SIM200, each like a real one by another name, for trying the engine with many symbols. Any thread. */

const MADE_UP = /^SIM([1-9]\d{0,2})$/;
const MADE_UP_MAX = 200;
/** A market of middling size and price. */
const MODEL = 'LINK';

/** How the made-up bases are named in messages. */
export const MADE_UP_NAMES = `SIM1 to SIM${MADE_UP_MAX}`;

/** Returns the base whose trading rules and fits a base has: its own, unless it is made up. Prices and rates are drawn for each name. */
export function modelOf(base: string): string {
  const number = MADE_UP.exec(base)?.[1];
  return number !== undefined && Number(number) <= MADE_UP_MAX ? MODEL : base;
}
