/** Whether Prometheus and its checker are on this machine, and the checker itself. */
import { spawnSync } from 'node:child_process';

export const PROMETHEUS_MISSING = ['prometheus', 'promtool'].some(
  (tool) => spawnSync(tool, ['--version'], { stdio: 'ignore' }).error !== undefined,
);

/** Returns what `promtool check metrics` has against the text; empty when nothing. */
export function complaintsOf(text: string): string {
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  return checked.status === 0 ? '' : `${checked.status}: ${checked.stdout}${checked.stderr}`;
}
