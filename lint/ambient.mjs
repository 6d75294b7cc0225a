/**
 * Lint rules that keep time, chance, input/output and hidden state out of code that must replay: everything in src/ and
 * actors/ that is no adapter. Which files those are stands in .oxlintrc.json. Runs inside oxlint.
 */

/** Global values that reach outside, with what to use instead. */
const BANNED_GLOBALS = new Map([
  ['Date', 'take time as an argument or from self.nowMs()'],
  ['performance', 'take time as an argument or from self.monotonicMs()'],
  ['setTimeout', 'use self.after'],
  ['setInterval', 'use self.after'],
  ['setImmediate', 'tell yourself a message'],
  ['clearTimeout', 'use self.cancel'],
  ['clearInterval', 'use self.cancel'],
  ['clearImmediate', 'use self.cancel'],
  ['queueMicrotask', 'tell yourself a message'],
  ['WeakRef', 'garbage collection must not decide anything'],
  ['FinalizationRegistry', 'garbage collection must not decide anything'],
  ['Intl', 'results depend on the machine; format by hand'],
  ['fetch', 'use the http port'],
  ['WebSocket', 'use the socket port'],
  ['globalThis', 'take what you need as an argument'],
]);

/** Members of one global that reach outside. */
const BANNED_MEMBERS = new Map([
  ['Math.random', 'use self.random or a RandomStream argument'],
  ['process.env', 'settings are arguments'],
  ['process.hrtime', 'take time as an argument or from self.monotonicMs()'],
  ['process.nextTick', 'tell yourself a message'],
  ['process.uptime', 'take time as an argument'],
  ['AbortSignal.timeout', 'use self.after'],
]);

/** Randomness of `crypto` in all its forms, whatever the module is called locally. */
const CRYPTO_RANDOM = /^(random(Bytes|Int|UUID|Fill|FillSync|UUIDv7)|getRandomValues)$/;
const CRYPTO_MODULES = new Set(['node:crypto', 'crypto']);

/** Modules that do input/output, tell time or start threads. */
const BANNED_MODULES = new Set([
  ...[
    'fs',
    'fs/promises',
    'net',
    'http',
    'https',
    'http2',
    'tls',
    'dgram',
    'dns',
    'dns/promises',
    'child_process',
    'process',
  ].flatMap(withPrefix),
  ...[
    'worker_threads',
    'cluster',
    'timers',
    'timers/promises',
    'perf_hooks',
    'async_hooks',
    'os',
    'readline',
    'inspector',
  ].flatMap(withPrefix),
  ...[
    'node:sqlite',
    'undici',
    'ws',
    'better-sqlite3',
    'piscina',
    'comlink',
    'pino',
    'hono',
    '@hono/node-server',
    'commander',
  ],
]);

function withPrefix(name) {
  return [name, `node:${name}`];
}

export const noAmbient = {
  meta: {
    type: 'problem',
    docs: { description: 'Time, randomness, environment and input/output come in as arguments or ports.' },
  },
  create(context) {
    return {
      ImportDeclaration(node) {
        if (isTypeOnly(node)) return;
        const source = node.source.value;
        if (BANNED_MODULES.has(source)) {
          context.report({ node, message: `"${source}" reaches outside: only port adapters may import it` });
        } else if (CRYPTO_MODULES.has(source)) {
          for (const specifier of node.specifiers) {
            const name = specifier.type === 'ImportSpecifier' ? nameOf(specifier.imported) : '';
            if (CRYPTO_RANDOM.test(name) || name === 'webcrypto') {
              context.report({
                node: specifier,
                message: `${name} is ambient randomness: use self.random or take entropy as an argument`,
              });
            }
          }
        }
      },
      ImportExpression(node) {
        context.report({
          node,
          message: 'import() answers with a promise: only adapters and commands may load code late',
        });
      },
      MemberExpression(node) {
        const property = node.computed ? literalText(node.property) : node.property.name;
        if (property === undefined) return;
        if (node.object.type === 'Identifier') {
          const path = `${node.object.name}.${property}`;
          const instead = BANNED_MEMBERS.get(path);
          if (instead !== undefined && isGlobal(context, node.object)) {
            context.report({ node, message: `${path} is ambient: ${instead}` });
            return;
          }
        }
        if (CRYPTO_RANDOM.test(property)) {
          context.report({
            node,
            message: `${property} is ambient randomness: use self.random or take entropy as an argument`,
          });
        } else if (property.startsWith('toLocale')) {
          context.report({ node, message: `${property} depends on the machine: format by hand` });
        }
      },
      VariableDeclarator(node) {
        // const { random } = Math;
        if (node.id.type !== 'ObjectPattern' || node.init?.type !== 'Identifier') return;
        for (const property of node.id.properties) {
          const name = property.type === 'Property' ? nameOf(property.key) : '';
          const instead = BANNED_MEMBERS.get(`${node.init.name}.${name}`);
          if (instead !== undefined && isGlobal(context, node.init)) {
            context.report({ node: property, message: `${node.init.name}.${name} is ambient: ${instead}` });
          }
        }
      },
      'Program:exit'() {
        for (const reference of globalReferences(context)) {
          const { name } = reference.identifier;
          const instead = BANNED_GLOBALS.get(name);
          if (instead !== undefined)
            context.report({ node: reference.identifier, message: `${name} is ambient: ${instead}` });
        }
      },
    };
  },
};

export const noAsync = {
  meta: { type: 'problem', docs: { description: 'Actors never await: answers arrive as messages.' } },
  create(context) {
    const reportAsyncFunction = (node) => {
      if (node.async)
        context.report({
          node,
          message: 'async functions are for adapters and commands: let the answer arrive as a message',
        });
    };
    return {
      FunctionDeclaration: reportAsyncFunction,
      FunctionExpression: reportAsyncFunction,
      ArrowFunctionExpression: reportAsyncFunction,
      AwaitExpression(node) {
        context.report({ node, message: 'await is for adapters and commands: let the answer arrive as a message' });
      },
      ForOfStatement(node) {
        if (node.await)
          context.report({
            node,
            message: 'for await is for adapters and commands: let the answers arrive as messages',
          });
      },
      CallExpression(node) {
        if (node.callee.type !== 'MemberExpression') return;
        const property = node.callee.computed ? literalText(node.callee.property) : node.callee.property.name;
        if (property === 'then') {
          context.report({ node, message: '.then is for adapters and commands: let the answer arrive as a message' });
        }
      },
      'Program:exit'() {
        for (const reference of globalReferences(context)) {
          if (reference.identifier.name === 'Promise') {
            context.report({
              node: reference.identifier,
              message: 'promises are for adapters and commands: let the answer arrive as a message',
            });
          }
        }
      },
    };
  },
};

const CONTAINERS = new Set(['Map', 'Set', 'WeakMap', 'WeakSet']);

export const noModuleState = {
  meta: {
    type: 'problem',
    docs: { description: 'Modules hold no state that can change: two worlds in one process must not meet.' },
  },
  create(context) {
    const check = (declaration) => {
      if (declaration?.type !== 'VariableDeclaration' || declaration.declare) return;
      if (declaration.kind === 'let' || declaration.kind === 'var') {
        context.report({
          node: declaration,
          message: `module-level ${declaration.kind} is shared mutable state: pass it as an argument`,
        });
        return;
      }
      for (const { id, init } of declaration.declarations) {
        const container = containerName(init);
        if (container !== undefined && !isReadonlyType(id.typeAnnotation?.typeAnnotation)) {
          context.report({
            node: id,
            message: `module-level ${container} can change: annotate it as readonly, or pass it as an argument`,
          });
        }
      }
    };
    return {
      Program(node) {
        for (const statement of node.body) {
          check(statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement);
        }
      },
    };
  },
};

/** Names the growing container an initialiser makes; undefined for anything else. Filled literals count as constants. */
function containerName(init) {
  if (init?.type === 'NewExpression' && init.callee.type === 'Identifier' && CONTAINERS.has(init.callee.name))
    return init.callee.name;
  if (init?.type === 'ArrayExpression' && init.elements.length === 0) return 'array';
  if (init?.type === 'ObjectExpression' && init.properties.length === 0) return 'object';
  return undefined;
}

function isReadonlyType(type) {
  if (type === undefined) return false;
  if (type.type === 'TSTypeOperator') return type.operator === 'readonly';
  return (
    type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && type.typeName.name.startsWith('Readonly')
  );
}

function isTypeOnly(node) {
  if (node.importKind === 'type') return true;
  return node.specifiers.length > 0 && node.specifiers.every((specifier) => specifier.importKind === 'type');
}

/** References in value position to names that nothing in the file declares: the language's own and unknown ones. */
function globalReferences(context) {
  const { globalScope } = context.sourceCode.scopeManager;
  const builtIn = globalScope.variables
    .filter((variable) => variable.defs.length === 0)
    .flatMap((variable) => variable.references);
  return [...builtIn, ...globalScope.through].filter((reference) => reference.isTypeReference !== true);
}

function isGlobal(context, identifier) {
  return globalReferences(context).some((reference) => reference.identifier === identifier);
}

function literalText(node) {
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
}

function nameOf(node) {
  return node.type === 'Identifier' ? node.name : (literalText(node) ?? '');
}
