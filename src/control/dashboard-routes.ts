/** Serves the dashboard's files. They hold no secret: what the page shows it must ask for with the token. Main thread only. */
import type { Context, Hono } from 'hono';
import type { DashboardFiles } from './dashboard-files.ts';

/** The page runs its own script and style and speaks to this server alone; nobody may frame it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Adds `/` and `/assets/*`. */
export function addDashboardRoutes(app: Hono, files: DashboardFiles): void {
  for (const path of ['/', '/assets/:name']) {
    app.get(path, async (context) => serve(context, files));
  }
}

async function serve(context: Context, files: DashboardFiles): Promise<Response> {
  let file;
  try {
    file = await files.find(context.req.path);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return context.text(`${words}\n\nThe engine itself goes on; npx tandem status shows it without this page.\n`, 500);
  }
  if (file === undefined) return context.text('no such file\n', 404);
  context.header('content-type', file.type);
  context.header('content-security-policy', POLICY);
  if (file.isLasting) context.header('cache-control', 'private, max-age=31536000, immutable');
  return context.newResponse(file.bytes);
}
