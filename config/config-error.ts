/** What is wrong with a configuration, one issue per mistake, each pointing into a file. Any thread. */

export interface ConfigIssue {
  /** File as it was named, or `command line` for overrides. */
  readonly file: string;
  /** From 1; 0 when the file has no such place (missing file, overrides). */
  readonly line: number;
  readonly column: number;
  /** The setting, for example `entry.minApr`; empty for the whole file. */
  readonly setting: string;
  /** What must hold, for example `must be a number`. */
  readonly rule: string;
  /** The offending value as text; absent when there is none to show. */
  readonly value?: string;
}

/** A configuration that must not be started. The command line prints `message` and ends with exit code 2. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super(issues.map(describeIssue).join('\n'));
    this.name = 'ConfigError';
    this.issues = issues;
  }
}

/** Returns one line: `file:line:column: setting rule, was value`. */
export function describeIssue(issue: ConfigIssue): string {
  const place = issue.line > 0 ? `${issue.file}:${issue.line}:${issue.column}` : issue.file;
  const subject = issue.setting === '' ? issue.rule : `${issue.setting} ${issue.rule}`;
  return issue.value === undefined ? `${place}: ${subject}` : `${place}: ${subject}, was ${issue.value}`;
}
