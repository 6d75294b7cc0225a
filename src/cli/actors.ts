/** `tandem actors`: shows the actors of a running engine, follows or steers one of them. Main thread only. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { actorRows, formatActorRows } from './actor-rows.ts';
import { renderActors } from './actors-view.ts';
import { CommandFailure, EXIT } from './command-failure.ts';
import { addControlOptions, addressOf, askControl, orderControl } from './control-client.ts';
import type { ControlAnswer, ControlOptions } from './control-client.ts';
import { DrawnPicture, isDrawable, wantsColors } from './drawn-picture.ts';
import { untilStopped } from './follow.ts';
import { sanitize } from './terminal-text.ts';

type Action = 'pause' | 'resume' | 'restart';

interface ActorsOptions extends ControlOptions {
  readonly follow?: true;
  readonly mailbox?: true;
  readonly pause?: true;
  readonly resume?: true;
  readonly restart?: true;
}

export function register(program: Command): void {
  const command = program
    .command('actors')
    .description('show the actors of a running engine: a live view on a terminal, a table elsewhere')
    .argument('[path]', 'one actor, for example position/BTC');
  addControlOptions(command)
    .option(
      '--follow',
      'go on showing this actor until Ctrl-C; a line of JSON for each change where there is no terminal',
    )
    .option('--mailbox', 'show the messages that wait for this actor')
    .addOption(new Option('--pause', 'let this actor leave its mailbox alone').conflicts(['resume', 'restart']))
    .addOption(new Option('--resume', 'let it go on').conflicts('restart'))
    .option('--restart', 'end its life in order; its supervisor starts the next one')
    .action(runActors);
}

async function runActors(path: string | undefined, options: ActorsOptions): Promise<void> {
  const action = (['pause', 'resume', 'restart'] as const).find((name) => options[name] === true);
  if (path === undefined) {
    const needsPath = action ?? (options.mailbox === true ? 'mailbox' : undefined);
    if (needsPath !== undefined) throw new CommandFailure(`--${needsPath} needs the path of an actor`, EXIT.usage);
    await showAll(options);
  } else if (action !== undefined) {
    await steer(path, action, options);
  } else if (options.follow === true) {
    await follow(path, options);
  } else {
    const { body } = await askAboutActor(path, options);
    process.stdout.write(`${options.json === true ? JSON.stringify(body) : JSON.stringify(body, undefined, 2)}\n`);
  }
}

async function showAll(options: ActorsOptions): Promise<void> {
  if (options.json !== true && isDrawable(process.stdout, process.env)) {
    const picture = new DrawnPicture(process.stdout);
    const isColored = wantsColors(process.env);
    await untilStopped(async () => {
      const [actors, threads] = await Promise.all([askActors(options), askControl(options, '/debug/threads')]);
      picture.show(renderActors(actorRows(actors.body), threads.body, picture.columns, isColored));
    }).finally(() => picture.end());
    return;
  }
  const { body } = await askActors(options);
  process.stdout.write(`${options.json === true ? JSON.stringify(body) : formatActorRows(actorRows(body))}\n`);
}

/** Shows one actor again and again: drawn in place on a terminal, elsewhere one line of JSON for each change. */
async function follow(path: string, options: ActorsOptions): Promise<void> {
  if (options.json !== true && isDrawable(process.stdout, process.env)) {
    const picture = new DrawnPicture(process.stdout);
    await untilStopped(async () => {
      const { body } = await askAboutActor(path, options);
      const lines = JSON.stringify(body, undefined, 2).split('\n');
      picture.show(lines.map((line) => sanitize(line).slice(0, picture.columns)));
    }).finally(() => picture.end());
    return;
  }
  let last = '';
  await untilStopped(async () => {
    const line = JSON.stringify((await askAboutActor(path, options)).body);
    if (line !== last) process.stdout.write(`${line}\n`);
    last = line;
  });
}

async function steer(path: string, action: Action, options: ActorsOptions): Promise<void> {
  const { status, body } = await orderControl(options, `/control/${action}/${addressOf(path)}`, {});
  failUnless(202, { status, body }, path);
  const done = {
    pause: 'paused',
    resume: 'resumed',
    restart: 'ended its life; its supervisor decides about the next one',
  };
  process.stdout.write(`${options.json === true ? JSON.stringify(body) : `${path} ${done[action]}`}\n`);
}

async function askActors(options: ControlOptions): Promise<ControlAnswer> {
  return failUnless(200, await askControl(options, '/debug/actors'));
}

async function askAboutActor(path: string, options: ActorsOptions): Promise<ControlAnswer> {
  const what = options.mailbox === true ? 'mailbox' : 'actors';
  return failUnless(200, await askControl(options, `/debug/${what}/${addressOf(path)}`), path);
}

function failUnless(wanted: number, answer: ControlAnswer, path?: string): ControlAnswer {
  if (answer.status === wanted) return answer;
  if (answer.status === 404 && path !== undefined) throw new CommandFailure(`no actor lives at "${path}"`);
  throw new CommandFailure(`the engine answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}
