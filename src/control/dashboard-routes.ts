/** Serves the dashboard's files. They hold no secret: what the page shows it must ask for with the token. Main thread only. */
import type { Context, Hono } from 'hono';
import type { DashboardFiles } from './dashboard-files.ts';

/** The page runs its own script and style and speaks to this server alone; nobody may frame it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

type LogEvent = (level: 'error', event: string, fields: Readonly<Record<string, unknown>>) => void;

/** Adds `/` and `/assets/*`. */
export function addDashboardRoutes(app: Hono, files: DashboardFiles, log: LogEvent): void {
  for (const path of ['/', '/assets/:name']) {
    app.get(path, async (context) => serve(context, files, log));
  }
}

async function serve(context: Context, files: DashboardFiles, log: LogEvent): Promise<Response> {
  let file;
  try {
    file = await files.find(context.req.path);
  } catch (error) {
    // Whoever asks has shown no token: what went wrong is for the log.
    log('error', 'dashboard-not-built', { error });
    return context.text('The page could not be built; the log says why. The engine goes on: npx tandem status\n', 500);
  }
  if (file === undefined) return context.text('no such file\n', 404);
  context.header('content-type', file.type);
  context.header('content-security-policy', POLICY);
  if (file.isLasting) context.header('cache-control', 'private, max-age=31536000, immutable');
  return context.newResponse(file.bytes);
}
