/**
 * Builds the dashboard's page into one folder: `node build.mjs <folder>`. A process of its own, so that the engine's threads do no
 * bundling. Plain JavaScript on the project's own Node.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error('the folder to build into must be given');

await build({
  root: fileURLToPath(new URL('.', import.meta.url)),
  configFile: false,
  envDir: false,
  publicDir: false,
  logLevel: 'warn',
  // Addresses within the page are relative: it works behind any path.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: target,
    emptyOutDir: true,
    // Everything is a file of this server: the page may load nothing that stands in the text.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: 'es2023',
  },
});
