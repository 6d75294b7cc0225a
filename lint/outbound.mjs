/**
 * The lint rule that leaves calls to the outside no way around the doors that time and count them. Runs inside oxlint.
 */
import { posix, relative, sep } from 'node:path';

/** Packages and modules with which one can speak to another machine. */
const NETWORK = /^(?:undici|ws|(?:node:)?(?:net|tls|http|https|http2|dgram|dns))(?:\/|$)/;

/** Files that may, and why. */
const DOORS = new Map([
  ['src/ports/live/http-port.ts', 'the HTTP door of connectors'],
  ['src/ports/live/http-pools.ts', 'its connections'],
  ['src/ports/live/socket-port.ts', 'the socket door of connectors'],
  ['src/observe/live/outbound.ts', 'the door of alerts'],
  ['src/observe/live/stream.ts', 'a server: clients come to it'],
  ['src/control/control-server.ts', 'a server: clients come to it'],
  ['src/simulation/live/venue-host.ts', 'a server: the simulated venues'],
  ['src/composition/live/doctor.ts', 'runs alone, before any engine, and times what it tries itself'],
  ['src/cli/control-client.ts', 'a command of a person, to the engine on this machine'],
]);

/** The raw doors, and who may open them: whoever wraps them in meters, and doctor, which runs alone and times by itself. */
const WRAPPERS = ['src/ports/live/connector-ports.ts', 'src/composition/live/doctor-probe.ts'];
const RAW_DOORS = ['src/ports/live/http-port.ts', 'src/ports/live/socket-port.ts'];

export const outbound = {
  meta: { type: 'problem', docs: { description: 'Calls to the outside go through doors that time and count them.' } },
  create(context) {
    const from = relative(context.cwd, context.filename).split(sep).join('/');
    // The page runs in a browser, where the control server is all it can reach.
    if (from.startsWith('src/control/dashboard/')) return {};
    const check = (node, source) => {
      if (typeof source !== 'string') return;
      const complaint = complainAbout(from, source);
      if (complaint !== undefined) context.report({ node, message: complaint });
    };
    return {
      ImportDeclaration(node) {
        const { importKind, specifiers } = node;
        const isTypeOnly = specifiers.length > 0 && specifiers.every((one) => one.importKind === 'type');
        if (importKind !== 'type' && !isTypeOnly) check(node, node.source.value);
      },
      ExportNamedDeclaration(node) {
        if (node.source !== null && node.exportKind !== 'type') check(node, node.source.value);
      },
      ImportExpression(node) {
        check(node, node.source.value);
      },
      'Program:exit'(node) {
        if (DOORS.has(from)) return;
        for (const { identifier } of context.sourceCode.scopeManager.globalScope.through) {
          if (identifier.name === 'fetch' || identifier.name === 'WebSocket')
            context.report({ node: identifier ?? node, message: notADoor(from, identifier.name) });
        }
      },
    };
  },
};

/** Returns why `from` must not import `source`, or undefined when it may. */
function complainAbout(from, source) {
  if (!source.startsWith('.')) return NETWORK.test(source) && !DOORS.has(from) ? notADoor(from, source) : undefined;
  const target = posix.join(posix.dirname(from), source);
  if (!RAW_DOORS.includes(target) || WRAPPERS.includes(from)) return undefined;
  return `${from} must not open ${target} itself: only ${WRAPPERS[0]} does, with its meters`;
}

function notADoor(from, name) {
  return `${from} must not use ${name}: calls to the outside go through the metered doors (${[...DOORS.keys()].slice(0, 3).join(', ')})`;
}
