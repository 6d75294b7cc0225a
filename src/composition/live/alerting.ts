/** Alerts of a running engine: rules over its metrics, the ways out, and what may be commanded by chat. Main thread. */
import { performance } from 'node:perf_hooks';
import type { GuardMessage } from '../../../actors/guard-messages.ts';
import type { AlertsConfig } from '../../../config/schema.ts';
import type { TradingSummary } from '../../../actors/observer.ts';
import { AlertEngine } from '../../observe/alert-engine.ts';
import type { ChatAct, ChatFacts } from '../../observe/chat-commands.ts';
import type { Collector, MetricPoint } from '../../observe/live/collector.ts';
import { outboundDoor } from '../../observe/live/outbound.ts';
import { SinkQueue } from '../../observe/live/sink-queue.ts';
import type { Sink } from '../../observe/live/sink-queue.ts';
import { dashboardSink, logSink, telegramSink, webhookSink } from '../../observe/live/sinks.ts';
import { listenToTelegram } from '../../observe/live/telegram-commands.ts';
import { readSecrets, SecretError } from '../../ports/live/account-secrets.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { LogLevel } from '../../runtime/ports-context.ts';

/** What the configured ways out need and nobody may see. */
export interface AlertSecrets {
  readonly telegramToken?: string;
  readonly webhookUrl?: string;
}

export interface AlertingOptions {
  readonly config: AlertsConfig;
  readonly secrets: AlertSecrets;
  readonly collector: Collector;
  readonly publish: (points: readonly MetricPoint[]) => void;
  /** Of the main thread. */
  readonly metrics: Metrics;
  readonly summary: () => Promise<TradingSummary | undefined>;
  readonly tellGuard: (message: GuardMessage) => void;
  readonly log: (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface Alerting {
  readonly engine: AlertEngine;
  /** What `/debug/alerts` answers. */
  view(): object;
  close(): void;
}

/** Sinks on this machine are quick and take everything. */
const NEAR = { severityMin: 'info', queueMax: 1_000, timeoutMs: 1_000, perMinute: 10_000 } as const;

/** Reads the key files of sinks that are switched on. Throws SecretError. */
export function readAlertSecrets({ telegram, webhook }: AlertsConfig): AlertSecrets {
  const isTelegramUsed = telegram.enabled || telegram.commands;
  return {
    ...(isTelegramUsed && telegram.keyFile !== undefined ? { telegramToken: secretOf(telegram.keyFile, 'token') } : {}),
    ...(webhook.enabled && webhook.keyFile !== undefined ? { webhookUrl: secretOf(webhook.keyFile, 'url') } : {}),
  };
}

function secretOf(path: string, name: string): string {
  const secret = readSecrets({ type: 'file', path })[name];
  if (secret === undefined) throw new SecretError(path, `must hold ${name}`);
  return secret;
}

/** Begins to watch; what is configured wrongly was refused before. */
export function startAlerting(options: AlertingOptions): Alerting {
  const { config, collector, log } = options;
  const engine = new AlertEngine(config.rules);
  const queues = sinksOf(options);
  collector.addSource(() => [
    { kind: 'gauge', name: 'alerts_active', labels: {}, value: engine.active().length },
    ...queues.flatMap((queue) => queue.series()),
  ]);
  collector.onLook((look) => {
    for (const notice of engine.look(look)) {
      if (notice.type === 'raised')
        options.metrics.counter('alerts_total', { rule: notice.rule, severity: notice.severity }).add();
      for (const queue of queues) queue.offer(notice);
    }
  });
  const endCommands = config.telegram.commands ? takeCommands(options, engine) : () => undefined;
  log('info', 'alerts-watched', {
    rules: Object.keys(config.rules).length,
    sinks: queues.map((one) => one.view().name),
  });
  return {
    engine,
    view: () => ({
      active: engine.active(),
      recent: engine.recent(),
      suppressed: engine.suppressed,
      rules: config.rules,
      sinks: queues.map((queue) => queue.view()),
    }),
    close() {
      endCommands();
      for (const queue of queues) queue.close();
    },
  };
}

function sinksOf({ config, secrets, publish, metrics, log }: AlertingOptions): readonly SinkQueue[] {
  const { telegram, webhook } = config;
  const monotonicMs = (): number => performance.now();
  const call = outboundDoor(metrics, monotonicMs);
  const queue = (sink: Sink, limits: Omit<ConstructorParameters<typeof SinkQueue>[1], 'log' | 'monotonicMs'>) =>
    new SinkQueue(sink, { ...limits, log, monotonicMs });
  const queues = [queue(logSink(log), NEAR), queue(dashboardSink(publish), NEAR)];
  if (telegram.enabled) {
    const account = { host: telegram.host, token: secrets.telegramToken ?? '' };
    queues.push(queue(telegramSink(account, telegram.chatIds, call), telegram));
  }
  const url = webhook.url ?? secrets.webhookUrl;
  if (webhook.enabled && url !== undefined) queues.push(queue(webhookSink(url, call), webhook));
  return queues;
}

function takeCommands(
  { config, secrets, metrics, summary, tellGuard, log }: AlertingOptions,
  engine: AlertEngine,
): () => void {
  const { host, userIds, pollSeconds, timeoutMs } = config.telegram;
  return listenToTelegram({
    account: { host, token: secrets.telegramToken ?? '' },
    call: outboundDoor(metrics, () => performance.now()),
    facts: async () => chatFacts(await summary(), engine),
    act: (act, userId) => tellGuard(guardMessage(act, userId)),
    nowMs: () => Date.now(),
    ...{ userIds, pollSeconds, timeoutMs, log },
  });
}

function guardMessage(act: ChatAct, userId: string): GuardMessage {
  const reason = `telegram user ${userId}`;
  return act.type === 'kill'
    ? { type: 'kill', level: act.level, reason }
    : // Not a state: between the look and this a kill may have come, which no chat lifts.
      { type: 'stand-down', reason: `paused by ${reason}` };
}

function chatFacts(summary: TradingSummary | undefined, engine: AlertEngine): ChatFacts {
  const venues = summary?.venues ?? [];
  return {
    state: summary?.engine?.state ?? 'unknown',
    reason: summary?.engine?.reason ?? '',
    openPairs: summary?.totals.openPairs ?? 0,
    netResultQuote: Number(summary?.totals.netMicro ?? 0n) / 1e6,
    venuesReady: venues.filter(({ status }) => status === 'ready').length,
    venues: venues.length,
    alertsActive: engine.active().length,
  };
}
