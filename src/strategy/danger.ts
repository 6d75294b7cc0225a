/**
 * How near an open pair is to what would end it: its liquidation, its stop, its profit to take. The nearer, the more closely it is
 * watched. Pure, any thread.
 *
 * How closely a pair is watched follows the part of the way to its end that is gone, and trembles not: a level is kept until it is
 * 5 % below where it began. All that changes it (a test holds this table and the code against each other):
 *
 * | from | event | to |
 * | ---- | ----- | -- |
 * | calm | half the way gone | busy |
 * | calm, busy | four fifths gone | urgent |
 * | urgent | less than three quarters gone | busy |
 * | busy, urgent | less than 45 % gone | calm |
 *
 * What is told of it waits until it lasts: see `noteDanger`.
 */
import type { ExitInput } from './exit-decision.ts';
import { takeProfitAt } from './exit-decision.ts';
import { lowestLevel, noteLevel } from './lasting-level.ts';
import type { LastingLevel } from './lasting-level.ts';
import type { ExitPolicies } from './policy.ts';

export type DangerLevel = 'calm' | 'busy' | 'urgent';

export interface Danger {
  readonly level: DangerLevel;
  /** What is nearest; `none` while nothing is known. */
  readonly of: 'liquidation' | 'stop-loss' | 'take-profit' | 'none';
  /** Way gone towards it: 0 at the start, 1 where the pair ends. */
  readonly share: number;
}

export const noDanger: Danger = { level: 'calm', of: 'none', share: 0 };

const BUSY_SHARE = 0.5;
const URGENT_SHARE = 0.8;
/** A level is kept until its share is this much below where it began: prices tremble. */
const KEPT_SHARE = 0.05;

/** Returns the present danger; `before` only keeps a level from trembling. */
export function dangerOf(before: Danger, input: ExitInput, policy: ExitPolicies): Danger {
  const stopQuote = (policy.exit.stopLossPct / 100) * input.capitalQuote;
  const profitQuote = takeProfitAt(input, policy);
  const { executableQuote } = input;
  const ways: readonly (readonly [Danger['of'], number])[] = [
    ['liquidation', liquidationShare(input.long.liquidationDistance, policy)],
    ['liquidation', liquidationShare(input.short.liquidationDistance, policy)],
    ['stop-loss', executableQuote === undefined ? 0 : -executableQuote / stopQuote],
    ['take-profit', executableQuote === undefined || profitQuote === undefined ? 0 : executableQuote / profitQuote],
  ];
  const [of, share] = ways.reduce((nearest, way) => (way[1] > nearest[1] ? way : nearest), ['none', 0] as const);
  return { level: levelOf(before.level, share), of, share: Math.min(1, share) };
}

/** New legs start at the distance entries ask for; at the critical one they are closed. */
function liquidationShare(distance: number | undefined, { liquidation }: ExitPolicies): number {
  const { minEntryDistance, critical } = liquidation;
  return distance === undefined ? 0 : (minEntryDistance - distance) / (minEntryDistance - critical);
}

function levelOf(before: DangerLevel, share: number): DangerLevel {
  if (share >= URGENT_SHARE - (before === 'urgent' ? KEPT_SHARE : 0)) return 'urgent';
  return share >= BUSY_SHARE - (before === 'calm' ? 0 : KEPT_SHARE) ? 'busy' : 'calm';
}

const LEVELS = ['calm', 'busy', 'urgent'] as const satisfies readonly DangerLevel[];

/** A level must have lasted this long before it is told, monotonic ms: in a market that moves, a pair crosses them many times a minute. */
export const DANGER_TOLD_AFTER_MS = 10_000;

/** What was told of a pair's danger, and what has lasted since when. */
export interface DangerNews {
  readonly told: DangerLevel;
  readonly lasting: LastingLevel;
}

export const noDangerNews: DangerNews = { told: 'calm', lasting: lowestLevel };

/**
 * Takes up the level of this moment. `told` of what it returns differs from before where the pair has been nearer its end, or
 * further from it, than was told for `DANGER_TOLD_AFTER_MS` without a pause; it becomes the level that lasted so long, which need not
 * be the present one.
 */
export function noteDanger(before: DangerNews, level: DangerLevel, monotonicMs: number): DangerNews {
  const rule = { ranks: LEVELS.length, lastsMs: DANGER_TOLD_AFTER_MS };
  const lasting = noteLevel(before.lasting, LEVELS.indexOf(level), rule, monotonicMs);
  return lasting === before.lasting ? before : { told: LEVELS[lasting.told] ?? before.told, lasting };
}
