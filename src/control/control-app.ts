/** The routes of the control server, behind the gate: what is asked, what is answered. Main thread only. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { compress } from 'hono/compress';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { TradingSummary } from '../../actors/observer.ts';
import type { MessageShape, TellOutcome } from '../runtime/actor.ts';
import type { Redactor } from '../observe/redact.ts';
import { actorTree, ringViews, threadViews } from './actor-tree.ts';
import {
  adoptMessage,
  BadRequest,
  checkEmpty,
  clearMessage,
  faultOf,
  engineStateMessage,
  exitMessage,
  killMessage,
} from './control-actions.ts';
import { carriesToken } from './control-token.ts';
import type { FailedTokens } from './failed-tokens.ts';
import type { Inspectable } from './inspectable.ts';
import { journalQuery, pairAtRow, readRow } from './journal-view.ts';
import { findTrace } from '../runtime/trace-store.ts';
import { adoptionPicture } from './adoption-picture.ts';
import type { DashboardFiles } from './dashboard-files.ts';
import { addDashboardRoutes } from './dashboard-routes.ts';
import { enginePicture } from './engine-picture.ts';
import { flagMessage, flagStates } from './flags.ts';
import { evaluationPicture } from './evaluation-picture.ts';
import { isConnector, limitsOfConnectors } from './limits-picture.ts';
import { reasonsFor } from './why.ts';
import type { ObservationView } from './metrics-requests.ts';
import { addObserveRoutes, OBSERVE_PATHS } from './observe-routes.ts';
import { sharedAnswer } from './shared-answer.ts';
import { ACTOR_ACTIONS, readLimit, redactMailbox, traceList } from './runtime-requests.ts';

export const BODY_BYTES_MAX = 64 * 1024;
/** Answers shorter than this are sent as they are. */
const GZIP_BYTES_MIN = 1_000;

export interface ControlAppOptions {
  readonly engine: Inspectable;
  /** Whom the actions speak to. */
  readonly addresses: { readonly guard: string; readonly observer: string; position(base: string): string };
  readonly token: string;
  /** Absent: no page is served. */
  readonly dashboard?: DashboardFiles;
  readonly failedTokens: FailedTokens;
  readonly redactor: Redactor;
  readonly observation: ObservationView;
  /** Writes the heap to a file and returns its name; absent: nobody may ask for that. */
  readonly heapSnapshot?: () => string;
  readonly log: (level: 'info' | 'warn' | 'error', event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Returns the routes. Every answer is JSON; an unknown path is told apart from a known one only to who has the token. */
export function controlApp(options: ControlAppOptions): Hono {
  const { redactor } = options;
  // A snapshot asks every thread, those that trade too: many who ask at once share one.
  const engine: Inspectable = {
    ...options.engine,
    snapshot: sharedAnswer(() => options.engine.snapshot(), SNAPSHOT_KEPT_MS),
    traces: sharedAnswer(() => options.engine.traces(), SNAPSHOT_KEPT_MS),
  };
  const app = new Hono();
  let isFolding = false;
  app.use(compress({ threshold: GZIP_BYTES_MIN, encoding: 'gzip' }));
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of FIXED_HEADERS) context.res.headers.set(name, value);
    // Only files that are named after their content may be kept.
    if (!context.res.headers.has('cache-control')) context.res.headers.set('cache-control', 'no-store');
  });

  // The two probes are the only ones that speak without a token, and then say one bare word.
  app.get('/healthz', (context) =>
    probe(options, context, { bare: { status: 'ok' }, full: { status: 'ok' }, status: 200 }),
  );
  app.get('/readyz', async (context) => {
    const { ready, reasons } = await engine.readiness();
    return probe(options, context, { bare: { ready }, full: { ready, reasons }, status: ready ? 200 : 503 });
  });

  if (options.dashboard !== undefined) addDashboardRoutes(app, options.dashboard, options.log);

  app.use(async (context, next) => requireToken(options, context) ?? (await next()));
  addObserveRoutes(app, options.observation, answer);
  app.get('/debug/summary', async (context) => answer(context, 200, redactor.value(await engine.summary())));
  app.get('/debug/actors', async (context) => answer(context, 200, redactor.value(actorTree(await engine.snapshot()))));
  app.get('/debug/actors/:path{.+}', async (context) => {
    const path = context.req.param('path');
    const inspection = await engine.inspect(path);
    if (inspection === undefined) return answer(context, 404, { error: NO_SUCH_ACTOR, path });
    const { digest, ...rest } = inspection;
    return answer(context, 200, {
      ...record(redactor.value(rest)),
      ...(digest === undefined ? {} : { digest: redactor.display(digest) }),
    });
  });
  app.get('/debug/threads', async (context) => {
    return answer(context, 200, redactor.value({ threads: threadViews(await engine.snapshot()) }));
  });

  app.get('/debug/rings', async (context) => {
    return answer(context, 200, { rings: ringViews(await engine.snapshot()) });
  });
  app.get('/debug/eval/last', async (context) => {
    // The observer's digest is the summary; inspection answers with plain data of unknown type.
    const summary = (await engine.inspect(options.addresses.observer))?.digest as TradingSummary | undefined;
    if (summary === undefined) return answer(context, 503, { error: 'the observer does not answer' });
    const picture = evaluationPicture(summary, options.observation.metrics.history);
    return answer(context, 200, redactor.value(picture));
  });
  app.post('/control/heap-snapshot', async (context) => {
    checkEmpty(await readJson(context));
    if (options.heapSnapshot === undefined)
      return answer(context, 403, { error: 'the engine must be started with --enable-heap-snapshot' });
    const file = options.heapSnapshot();
    options.log('warn', 'heap-snapshot', { file });
    return answer(context, 201, { outcome: 'done', file });
  });

  app.get('/debug/mailbox/:path{.+}', async (context) => {
    const path = context.req.param('path');
    const limit = readLimit(context.req.query('limit'));
    const view = await engine.peek(path, limit === undefined ? {} : { limit });
    if (view === undefined) return answer(context, 404, { error: NO_SUCH_ACTOR, path });
    return answer(context, 200, redactMailbox(redactor, view));
  });
  app.get('/debug/traces', async (context) => answer(context, 200, redactor.value(traceList(await engine.traces()))));
  app.get('/debug/trace/:id', async (context) => {
    const id = context.req.param('id');
    const trace = findTrace(await engine.traces(), id);
    if (trace === undefined) return answer(context, 404, { error: 'no such trace, or it is no longer kept', id });
    return answer(context, 200, redactor.value(trace));
  });

  for (const path of ['/debug/why', '/debug/why/:base']) {
    app.get(path, async (context) => {
      const base = context.req.param('base');
      const summary = (await engine.inspect(options.addresses.observer))?.digest;
      if (summary === undefined) return answer(context, 503, { error: 'the observer does not answer' });
      // The observer's digest is the summary; inspection answers with plain data of unknown type.
      const reasons = reasonsFor(summary as TradingSummary, base);
      return reasons === undefined
        ? answer(context, 404, { error: 'no such symbol', base })
        : answer(context, 200, redactor.value(reasons));
    });
  }

  // What the commands that stop and close things go by: whole, however many symbols there are.
  app.get('/debug/engine', async (context) => {
    const [guard, observer] = await Promise.all(
      [options.addresses.guard, options.addresses.observer].map(async (path) => (await engine.inspect(path))?.digest),
    );
    const picture = enginePicture(guard, observer);
    return picture === undefined
      ? answer(context, 503, { error: 'guard or observer does not answer' })
      : answer(context, 200, redactor.value(picture));
  });

  app.get('/debug/adoption/:base', async (context) => {
    const base = context.req.param('base');
    const digest = (await engine.inspect(options.addresses.position(base)))?.digest;
    const picture = adoptionPicture(digest);
    return picture === undefined
      ? answer(context, 404, { error: 'no such symbol, or its actor does not answer', base })
      : answer(context, 200, redactor.value(picture));
  });

  app.get('/debug/books', async (context) => {
    // As above: the observer's digest is the summary.
    const summary = (await engine.inspect(options.addresses.observer))?.digest as TradingSummary | undefined;
    if (summary?.identities === undefined) return answer(context, 503, { error: 'the books have not been read yet' });
    return answer(context, 200, redactor.value(summary.identities));
  });

  app.get('/debug/journal', async (context) => {
    const page = await engine.readRows(journalQuery((name) => context.req.query(name)));
    return answer(context, 200, redactor.value(page));
  });
  app.get('/debug/journal/at/:base', async (context) => {
    const base = context.req.param('base');
    const row = readRow('row', context.req.query('row'));
    // One at a time: each reads a history whole, on the thread that commits.
    if (isFolding) return answer(context, 429, { error: 'another moment is being worked out, ask again', base, row });
    isFolding = true;
    let picture;
    try {
      picture = await pairAtRow((query) => engine.readRows(query), base, row);
    } finally {
      isFolding = false;
    }
    return picture === undefined
      ? answer(context, 404, { error: 'no row of this symbol that early', base, row })
      : answer(context, 200, redactor.value(picture));
  });

  app.post('/control/fault', async (context) => {
    const { venue, fault } = faultOf(await readJson(context));
    try {
      engine.inject(venue, fault);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return answer(context, 404, { error: error.message, venue, fault });
    }
    options.log('warn', 'control-action', { action: 'fault', venue, fault });
    return answer(context, 202, { outcome: 'done', venue, fault });
  });
  app.get('/debug/limits', async (context) =>
    answer(context, 200, redactor.value({ accounts: limitsOfConnectors(await digestsOf(engine)) })),
  );
  app.get('/debug/flags', async (context) =>
    answer(context, 200, redactor.value({ flags: flagStates(await digestsOf(engine)) })),
  );
  app.post('/control/flags', async (context) => {
    const message = flagMessage(await readJson(context));
    const paths = await connectorPaths(engine);
    const outcomes = paths.map((path) => engine.tell(path, message));
    options.log('info', 'control-action', { paths, message, outcomes });
    const isTold = outcomes.length > 0 && outcomes.every((outcome) => outcome === 'sent');
    return answer(context, isTold ? 202 : 503, { paths, outcomes, message: message.type });
  });

  for (const [action, carryOut] of Object.entries(ACTOR_ACTIONS)) {
    app.post(`/control/${action}/:path{.+}`, async (context) => {
      const path = context.req.param('path');
      checkEmpty(await readJson(context));
      const isDone = await carryOut(engine, path);
      options.log('info', 'control-action', { path, action, isDone });
      return isDone
        ? answer(context, 202, { outcome: 'done', action, path })
        : answer(context, 404, { error: NO_SUCH_ACTOR, action, path });
    });
  }
  app.post('/control/exit/:base', async (context) => {
    const base = context.req.param('base');
    return act(options, context, options.addresses.position(base), exitMessage(await readJson(context)));
  });
  app.post('/control/clear/:base', async (context) => {
    const base = context.req.param('base');
    return act(options, context, options.addresses.position(base), clearMessage(await readJson(context)));
  });
  app.post('/control/adopt/:base', async (context) => {
    const base = context.req.param('base');
    return act(options, context, options.addresses.position(base), adoptMessage(await readJson(context)));
  });
  app.post('/control/engine', async (context) => {
    return act(options, context, options.addresses.guard, engineStateMessage(await readJson(context)));
  });
  app.post('/control/kill', async (context) => {
    return act(options, context, options.addresses.guard, killMessage(await readJson(context)));
  });

  for (const path of READ_PATHS) {
    app.all(path, (context) => refuseMethod(context, 'GET, HEAD'));
  }
  const actorActions = Object.keys(ACTOR_ACTIONS).map((action) => `/control/${action}/*`);
  for (const path of [
    '/control/exit/:base',
    '/control/clear/:base',
    '/control/adopt/:base',
    '/control/engine',
    '/control/kill',
    '/control/flags',
    '/control/heap-snapshot',
    '/control/fault',
    ...actorActions,
  ]) {
    app.all(path, (context) => refuseMethod(context, 'POST'));
  }
  app.notFound((context) => answer(context, 404, { error: 'no such path' }));
  app.onError((error, context) => {
    if (error instanceof BadRequest) return answer(context, 400, { error: error.message });
    if (error instanceof BodyTooLong) return answer(context, 413, { error: error.message });
    options.log('error', 'control-request-failed', { path: context.req.path, error });
    return answer(context, 500, { error: 'internal' });
  });
  return app;
}

async function connectorPaths(engine: Inspectable): Promise<readonly string[]> {
  const { actors } = await engine.snapshot();
  return actors.map(({ path }) => path).filter(isConnector);
}

async function digestsOf(engine: Inspectable): Promise<readonly { readonly path: string; readonly digest: unknown }[]> {
  const paths = await connectorPaths(engine);
  return Promise.all(paths.map(async (path) => ({ path, digest: (await engine.inspect(path))?.digest })));
}

/** How old an answer about all threads may be. */
const SNAPSHOT_KEPT_MS = 250;
const NO_SUCH_ACTOR = 'no such actor, or its thread does not answer';
const READ_PATHS = [
  '/healthz',
  '/readyz',
  ...OBSERVE_PATHS,
  '/debug/actors',
  '/debug/actors/*',
  '/debug/threads',
  '/debug/rings',
  '/debug/eval/last',
  '/debug/mailbox/*',
  '/debug/traces',
  '/debug/trace/:id',
  '/debug/why',
  '/debug/why/:base',
  '/debug/books',
  '/debug/engine',
  '/debug/summary',
  '/debug/journal',
  '/debug/journal/at/:base',
  '/debug/limits',
  '/debug/flags',
  '/debug/adoption/:base',
];
const FIXED_HEADERS: readonly (readonly [string, string])[] = [
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
];

function probe(
  options: ControlAppOptions,
  context: Context,
  answers: { readonly bare: object; readonly full: object; readonly status: ContentfulStatusCode },
): Response {
  if (context.req.header('authorization') === undefined) return answer(context, answers.status, answers.bare);
  return requireToken(options, context) ?? answer(context, answers.status, options.redactor.value(answers.full));
}

/** Returns the refusal, or undefined when the request carries the token. */
function requireToken({ token, failedTokens, log }: ControlAppOptions, context: Context): Response | undefined {
  const authorization = context.req.header('authorization');
  const silenceMs = failedTokens.silenceMs();
  if (silenceMs > 0) {
    context.header('retry-after', String(Math.ceil(silenceMs / 1_000)));
    return answer(context, 429, { error: 'too many wrong tokens' });
  }
  if (authorization !== undefined && carriesToken(authorization, token)) return undefined;
  if (authorization !== undefined) {
    failedTokens.record();
    log('warn', 'control-token-wrong', { path: context.req.path });
  }
  context.header('www-authenticate', 'Bearer');
  return answer(context, 401, { error: 'needs the token of this engine: Authorization: Bearer ...' });
}

function act(options: ControlAppOptions, context: Context, path: string, message: MessageShape): Response {
  const outcome = options.engine.tell(path, message);
  options.log('info', 'control-action', { path, message, outcome });
  return answer(context, ACTION_STATUS[outcome], { outcome, path, message: message.type });
}

/** Told is not done: the actor decides, and the picture shows what came of it. */
const ACTION_STATUS: Readonly<Record<TellOutcome, ContentfulStatusCode>> = {
  sent: 202,
  merged: 202,
  refused: 503,
  dead: 404,
};

async function readJson(context: Context): Promise<unknown> {
  const text = await readBody(context);
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequest('body', 'JSON', text.slice(0, 80));
  }
}

/** Reads at most the allowed bytes, whatever length was announced. Throws BodyTooLong. */
async function readBody(context: Context): Promise<string> {
  const { body } = context.req.raw;
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) throw new BodyTooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

class BodyTooLong extends Error {
  constructor() {
    super(`body must have at most ${BODY_BYTES_MAX} bytes`);
    this.name = 'BodyTooLong';
  }
}

function refuseMethod(context: Context, allowed: string): Response {
  context.header('allow', allowed);
  return answer(context, 405, { error: `method must be ${allowed}`, method: context.req.method });
}

function answer(context: Context, status: ContentfulStatusCode, body: unknown): Response {
  const text = `${JSON.stringify(body)}\n`;
  // With its length stated, a short answer is left uncompressed.
  context.header('content-length', String(Buffer.byteLength(text)));
  context.header('content-type', 'application/json; charset=utf-8');
  return context.newResponse(text, { status });
}

function record(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : { value };
}
