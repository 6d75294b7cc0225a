/**
 * The lint rule that keeps imports pointing one way: main, workers -> actors -> domain -> money; the runtime knows none of
 * them, a venue knows no other venue. Runs inside oxlint.
 */
import { posix, relative, sep } from 'node:path';

const PURE_FOLDERS = ['money', 'market', 'strategy', 'risk', 'execution'];
/** Types of plain data that the pure domain computes with: what a venue is asked and answers, what the journal holds. */
const PLAIN_DATA = ['src/venues/venue.ts', 'src/storage/rows.ts'];
/** How rows travel in messages: pure, and read where they are needed. */
const ROW_TEXT = 'src/storage/row-page.ts';
/** Files of src that compose the whole and may therefore use actors. */
const COMPOSERS = ['src/main.ts', 'src/composition/', 'src/cli/', 'src/simulation/world.ts'];
/** The only doors to the composition root. */
const MAIN_USERS = ['src/cli/start.ts', 'src/cli/venue.ts', 'src/launch.mjs'];

export const importDirection = {
  meta: { type: 'problem', docs: { description: 'Imports point one way.' } },
  create(context) {
    const from = relative(context.cwd, context.filename).split(sep).join('/');
    const check = (node, source, typeOnly) => {
      if (typeof source !== 'string') return;
      const isRelative = source.startsWith('.');
      const target = isRelative ? posix.join(posix.dirname(from), source) : source;
      const complaint = isRelative
        ? complainAboutFile(from, target, typeOnly)
        : complainAboutPackage(from, target, typeOnly);
      if (complaint !== undefined) context.report({ node, message: `${from} must not import ${target}: ${complaint}` });
    };
    return {
      ImportDeclaration(node) {
        check(node, node.source.value, isTypeOnly(node, node.importKind));
      },
      ExportNamedDeclaration(node) {
        if (node.source !== null) check(node, node.source.value, isTypeOnly(node, node.exportKind));
      },
      ExportAllDeclaration(node) {
        check(node, node.source.value, node.exportKind === 'type');
      },
      ImportExpression(node) {
        check(node, node.source.value, false);
      },
    };
  },
};

/** Returns why `from` must not import the project file `target`, or undefined when it may. Paths are relative to the project. */
export function complainAboutFile(from, target, typeOnly) {
  if (target === 'src/main.ts' && !MAIN_USERS.includes(from) && !from.startsWith('test/')) {
    return 'nothing imports the composition root';
  }
  if (from.startsWith('src/runtime/')) {
    return target.startsWith('src/runtime/') ? undefined : 'the runtime knows nothing outside itself';
  }
  const pure = pureFolderOf(from);
  if (pure !== undefined) return complainAboutPure(pure, target, typeOnly);
  if (from.startsWith('actors/')) return complainAboutActor(target, typeOnly);
  if (from.startsWith('src/')) {
    if (target.startsWith('actors/') && !typeOnly && !COMPOSERS.some((place) => isAt(from, place))) {
      return 'only the composition root reaches from src into actors (import type is fine)';
    }
    const venue = venueFolderOf(from);
    const other = venueFolderOf(target);
    if (venue !== undefined && other !== undefined && venue !== other) return 'a venue knows no other venue';
  }
  return undefined;
}

/** Returns why `from` must not import the package or built-in module `name`, or undefined when it may. */
export function complainAboutPackage(from, name, typeOnly) {
  if (pureFolderOf(from) === undefined || typeOnly) return undefined;
  return /^node:assert(\/strict)?$/.test(name) ? undefined : 'the pure domain uses nothing but itself and node:assert';
}

function complainAboutPure(folder, target, typeOnly) {
  if (folder === 'money') return target.startsWith('src/money/') ? undefined : 'money knows nothing outside itself';
  if (pureFolderOf(target) !== undefined) return undefined;
  if (PLAIN_DATA.includes(target) && typeOnly) return undefined;
  return `the pure domain knows only itself (${PURE_FOLDERS.join(', ')}; types of ${PLAIN_DATA.join(', ')})`;
}

function complainAboutActor(target, typeOnly) {
  if (target.startsWith('actors/') || target.startsWith('src/runtime/') || target.startsWith('src/venues/'))
    return undefined;
  if (pureFolderOf(target) !== undefined) return undefined;
  if (typeOnly && (target.startsWith('src/ports/') || target.startsWith('src/storage/'))) return undefined;
  if (target === ROW_TEXT) return undefined;
  return 'actors use the runtime, the pure domain, venues, types of ports and storage, and the text of rows';
}

function pureFolderOf(path) {
  return PURE_FOLDERS.find((folder) => path.startsWith(`src/${folder}/`));
}

/** The venue whose folder the path is in; undefined for src/venues/*.ts, which all venues share. */
function venueFolderOf(path) {
  return /^src\/venues\/([^/]+)\//.exec(path)?.[1];
}

function isAt(path, place) {
  return place.endsWith('/') ? path.startsWith(place) : path === place;
}

function isTypeOnly(node, kind) {
  if (kind === 'type') return true;
  const kinds = node.specifiers.map((specifier) => specifier.importKind ?? specifier.exportKind);
  return kinds.length > 0 && kinds.every((one) => one === 'type');
}
