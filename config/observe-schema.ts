/** Settings of what watches the engine: how long metrics are kept, alerts and where they go. Main thread and CLI only (zod). */
import { z } from 'zod';
import { BUILT_IN_RULES, COMPARISONS, SEVERITIES, STATISTICS } from '../src/observe/alert-rules.ts';
import { choice, flag, integer, milliseconds, number } from './setting.ts';

const numericId = z.string().regex(/^-?\d{1,20}$/, 'must be a numeric id as text, for example "123456789"');
/** Notices tell what the engine does: they travel encrypted, or not at all off this machine. */
const noticeUrl = z
  .string()
  .regex(
    /^(?:https:\/\/[^\s/]+|http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?)(?:\/[^\s]*)?$/,
    'must be an https:// address, or http:// on this machine',
  );

const rule = z.strictObject({
  enabled: flag(true, 'Whether the rule is looked at.'),
  metric: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,99}$/, 'must be the name of a metric, see /debug/metrics')
    .describe('Name of a metric, see /debug/metrics.'),
  labels: z
    .record(z.string(), z.string())
    .default({})
    .describe('Only series with these labels; each series is an alert of its own.'),
  statistic: choice(
    STATISTICS,
    'value',
    'Of a distribution: mean, p50, p99 or max of the last second, minute for the mean of the last minute.',
  ),
  comparison: choice(COMPARISONS, '>', 'How the value is compared with the threshold.'),
  threshold: number(
    'unit of the metric, or a multiple',
    0,
    [-1e12, 1e12],
    'What the value is compared with, in the unit of the metric.',
  ),
  ofBaseline: flag(false, 'The threshold is a multiple of the mean of the last 24 hours.'),
  forMs: milliseconds('monotonic', 0, [0, 86_400_000], 'The comparison must hold this long.'),
  severity: choice(SEVERITIES, 'warning', 'How much it matters.'),
  cooldownMs: milliseconds('monotonic', 300_000, [0, 86_400_000], 'Least time between two notices of the same alert.'),
  text: z.string().min(1).max(200).describe('What it means, for whoever reads the notice.'),
});

/** What every sink that leaves the machine has. */
const sink = {
  enabled: flag(false, 'Whether anything is sent.'),
  severityMin: choice(SEVERITIES, 'warning', 'Notices below this are not sent.'),
  queueMax: integer(
    'notices',
    100,
    [1, 10_000],
    'Notices that wait at most; the oldest of what matters least is lost.',
  ),
  timeoutMs: milliseconds('monotonic', 5_000, [100, 60_000], 'One delivery is given up after this.'),
  perMinute: integer('notices', 20, [1, 1_000], 'Notices sent in any minute at most.'),
};

export const alerts = z.strictObject({
  rules: z
    .record(z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be a name of a-z, 0-9 and "-"'), rule)
    .default({ ...BUILT_IN_RULES })
    .describe('By name. A rule of the same name replaces settings of a built-in one; others are added.'),
  telegram: z
    .strictObject({
      ...sink,
      host: noticeUrl.default('https://api.telegram.org').describe('Where the bot interface is.'),
      keyFile: z.string().min(1).optional().describe('YAML file with `token: ...`, mode 0600, in a 0700 folder.'),
      chatIds: z.array(numericId).max(16).default([]).describe('Chats that get the notices.'),
      commands: flag(false, 'Whether the bot takes commands: status, pause, kill. In private chats only.'),
      userIds: z.array(numericId).max(16).default([]).describe('Who may command.'),
      pollSeconds: integer('s', 20, [0, 50], 'How long one question for commands is held open.'),
    })
    .prefault({}),
  webhook: z
    .strictObject({
      ...sink,
      url: noticeUrl
        .optional()
        .describe('Where notices are posted as JSON. An address that is a secret goes in keyFile.'),
      keyFile: z.string().min(1).optional().describe('YAML file with `url: ...`, mode 0600, in a 0700 folder.'),
    })
    .prefault({}),
});

export const metrics = z.strictObject({
  retentionDays: integer('days', 7, [1, 366], 'How long roll-ups of metrics are kept, one a minute.'),
});
