/** Alerts in words, for people far from the screen: fixed templates, one line. Pure. */
import { definitionOf } from './catalogue.ts';
import type { Notice } from './alert-engine.ts';

const MARKS = { info: 'INFO', warning: 'WARNING', critical: 'CRITICAL' } as const;

/** For example `CRITICAL unhedged: a leg stands alone for longer than allowed (unhedged_time base=BTC 7200 ms > 5000)`. */
export function noticeText(notice: Notice): string {
  const { type, rule, severity, text, metric, labels, value, comparison, limit } = notice;
  const unit = definitionOf(metric)?.unit ?? 'count';
  const named = Object.entries(labels).map(([label, one]) => `${label}=${one}`);
  const shown = `${short(value)}${unit === 'count' || unit === 'state' || unit === 'ratio' ? '' : ` ${unit}`}`;
  const about = [metric, ...named, shown, comparison, short(limit)].join(' ');
  return type === 'raised'
    ? `${MARKS[severity]} ${rule}: ${text} (${about})`
    : `RESOLVED ${rule} (now ${metric} ${[...named, shown].join(' ')})`;
}

function short(value: number): string {
  return Math.abs(value) >= 1_000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
