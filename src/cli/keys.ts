/** `tandem keys`: seals key files with a passphrase, and tells what is in one without showing it. Main thread only. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { PASSPHRASE_CREDENTIAL, passphraseFrom } from '../composition/live/account-keys.ts';
import { needsPassphrase, readPlain, readSecrets, sealedSource, SecretError } from '../ports/live/account-secrets.ts';
import { seal } from '../ports/live/sealed-file.ts';
import { CommandFailure, EXIT } from './command-failure.ts';
import { passphrasePrompt, readHidden } from './passphrase.ts';

const PASSPHRASE_CHARACTERS_MIN = 12;

export function register(program: Command): void {
  const keys = program
    .command('keys')
    .description('seal key files with a passphrase, and look whether they can be read');
  keys
    .command('seal')
    .description(
      'write a sealed copy beside a plain key file, as <file>.sealed; the plain one is left for you to remove',
    )
    .argument('<file>', 'plain key file')
    .action(sealFile);
  keys
    .command('check')
    .description('tell what a key file holds, by name only')
    .argument('<file>', 'plain or sealed key file')
    .action(checkFile);
}

async function sealFile(file: string): Promise<void> {
  await explained(async () => {
    const plain = readPlain(file);
    const passphrase = await newPassphrase();
    const target = `${file}.sealed`;
    writeFileSync(target, seal(Buffer.from(plain), passphrase), { flag: 'wx', mode: 0o600 });
    // Proven before anybody is told to remove the plain one.
    readSecrets(sealedSource(target, passphrase));
    process.stdout.write(
      `${target} is sealed and was opened again with the passphrase.\n` +
        `Name it as keyFile in the configuration, then remove ${file}. Without the passphrase nobody can open it, you included.\n`,
    );
  });
}

async function checkFile(file: string): Promise<void> {
  await explained(async () => {
    const isSealed = needsPassphrase(file);
    const source = isSealed ? sealedSource(file, await knownPassphrase()) : ({ type: 'file', path: file } as const);
    const names = Object.keys(readSecrets(source));
    process.stdout.write(`${file} is ${isSealed ? 'sealed' : 'plain'} and holds ${names.join(', ')}\n`);
  });
}

async function newPassphrase(): Promise<string> {
  const given = passphraseFrom(process.env['CREDENTIALS_DIRECTORY']);
  const passphrase = given ?? (await askTwice());
  if (passphrase.length < PASSPHRASE_CHARACTERS_MIN)
    throw new CommandFailure(`the passphrase must have at least ${PASSPHRASE_CHARACTERS_MIN} characters`);
  return passphrase;
}

async function askTwice(): Promise<string> {
  if (passphrasePrompt() === undefined) throw nobodyToAsk();
  const first = await readHidden('New passphrase: ');
  if ((await readHidden('The same again: ')) !== first) throw new CommandFailure('the two were not the same');
  return first;
}

async function knownPassphrase(): Promise<string> {
  const given = passphraseFrom(process.env['CREDENTIALS_DIRECTORY']);
  const ask = passphrasePrompt();
  if (given === undefined && ask === undefined) throw nobodyToAsk();
  return given ?? (await ask?.()) ?? '';
}

function nobodyToAsk(): CommandFailure {
  return new CommandFailure(
    `the passphrase must be typed at a terminal or come from the credential ${PASSPHRASE_CREDENTIAL}`,
    EXIT.usage,
  );
}

async function explained(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof SecretError) throw new CommandFailure(error.message);
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      throw new CommandFailure(
        `${error.message.split("'")[1] ?? 'the sealed file'} must not exist yet: nothing is overwritten`,
      );
    throw error;
  }
}
