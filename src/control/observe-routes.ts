/** What is asked of metrics and alerts: the text for Prometheus, the latest points, statistics at a glance. Main thread only. */
import type { Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { exposition, PROMETHEUS_CONTENT_TYPE } from '../observe/live/prometheus.ts';
import { allDefinitions, definitionOf } from '../observe/catalogue.ts';
import { readHistoryRequest, readNames } from './metrics-requests.ts';
import type { ObservationView } from './metrics-requests.ts';
import { statisticsOf } from './statistics.ts';

type Answer = (context: Context, status: ContentfulStatusCode, body: unknown) => Response;

export const OBSERVE_PATHS = ['/metrics', '/debug/metrics', '/debug/stats', '/debug/alerts'];

/** Adds the routes; to be called behind the token. */
export function addObserveRoutes(app: Hono, observation: ObservationView, answer: Answer): void {
  const { metrics } = observation;

  // Names follow Prometheus' own rules, or are ours with ?names=own.
  app.get('/metrics', async (context) => {
    const names = readNames(context.req.query('names'));
    const text = await exposition(metrics.table().values(), names);
    context.header('content-type', PROMETHEUS_CONTENT_TYPE);
    return context.newResponse(text, { status: 200 });
  });

  // Without a name: what there is. With one: the latest points of its series, and what is kept of earlier times.
  app.get('/debug/metrics', async (context) => {
    const asked = readHistoryRequest(context.req.query());
    if (asked === undefined) return answer(context, 200, { metrics: overview(observation) });
    const { name, labels, hours } = asked;
    const series = metrics.history.of(name, labels);
    if (series.length === 0 && definitionOf(name) === undefined)
      return answer(context, 404, { error: 'no such metric', name });
    const { unit, kind, help } = definitionOf(name) ?? {};
    const rollups = hours === 0 ? [] : await observation.rollups(name, labels, hours);
    return answer(context, 200, { name, kind, unit, help, series, rollups });
  });

  app.get('/debug/stats', (context) => answer(context, 200, statisticsOf(metrics.table())));
  app.get('/debug/alerts', (context) => answer(context, 200, observation.alerts()));
}

function overview({ metrics }: ObservationView): readonly object[] {
  const names = metrics.history.names();
  const defined = allDefinitions().map(({ name, kind, unit, help }) => {
    return { name, kind, unit, help, series: names.get(name) ?? 0 };
  });
  const strangers = [...names].filter(([name]) => definitionOf(name) === undefined);
  return [...defined, ...strangers.map(([name, series]) => ({ name, series }))];
}
