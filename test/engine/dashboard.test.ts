/** Every page of the dashboard in a real browser, against a running demonstration. Skipped where there is no Chromium. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTandem } from '../cli/run-tandem.ts';
import { StartedEngine, temporaryFolder } from './started-engine.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path)) ?? '';
/** Adds up how far things moved by themselves, as browsers measure it; up to 0.1 counts as still. */
const WATCH_SHIFTS = `
  globalThis.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shifted += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
`;
const SHIFT_MAX = 0.1;
/** A busy machine may take its time: what is waited for is an effect, never a duration. */
const PATIENCE_MS = 120_000;

const PAGES: readonly (readonly [address: string, heading: string, shown: readonly string[]])[] = [
  ['#/', 'Overview', ['Equity, quote', 'Exposure clock', 'Pairs', 'Closed pairs', 'exact']],
  [
    '#/pair/BTC',
    'BTC',
    ['Legs', 'Next payment', 'Three views of the result', 'A, by marks', 'Received', 'Timeline', 'order-planned'],
  ],
  [
    '#/opportunities',
    'Opportunities',
    ['The best candidate of each symbol', 'Refusals since start', 'lighter / extended'],
  ],
  [
    '#/venues',
    'Venues',
    ['lighter:main', 'Clock offset', 'lighter-rest', 'Circuit breakers', 'connections', 'Caches', 'balances'],
  ],
  [
    '#/runtime',
    'Runtime',
    ['Supervision tree', 'connector/lighter:main', 'Threads', 'trading-0', 'Rings', 'Causal traces'],
  ],
  ['#/actor/position/BTC', 'position/BTC', ['State in brief', 'Last messages', 'Mailbox']],
  ['#/journal', 'Journal', ['engine-state', 'Rows']],
  ['#/journal/BTC', 'Journal', ['pair-state', 'fill']],
  ['#/alerts', 'Alerts', ['Standing', 'Notices', 'rest-limit', 'Where notices go']],
];

describe.skipIf(CHROMIUM === '')(
  'the dashboard in Chromium (needs the Debian package chromium)',
  { timeout: 400_000 },
  () => {
    const dataDir = temporaryFolder();
    let engine: StartedEngine;
    let browser: Browser;
    let address: string;
    let token: string;
    /** The symbol of the first pair that opened; the tables above say BTC for it. */
    let base: string;
    const named = (text: string): string => text.replace('BTC', base);
    const faults: string[] = [];

    /** A page of its own with the token brought by the link, as `tandem dashboard` prints it. */
    async function open(hash: string, options: BrowserContextOptions = {}): Promise<Page> {
      const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, ...options });
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      await page.addInitScript(WATCH_SHIFTS);
      page.on('pageerror', (error) => faults.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') faults.push(message.text());
      });
      await page.goto(`${address}/#token=${token}`);
      await page.getByRole('link', { name: 'Tandem' }).waitFor();
      await page.goto(`${address}/${hash}`);
      return page;
    }

    beforeAll(async () => {
      engine = new StartedEngine(dataDir);
      address = (await engine.printed(/^READY .* (http:\/\/127\.0\.0\.1:\d+)$/))[1] ?? '';
      token = readFileSync(join(dataDir, 'control.token'), 'utf8').trim();
      base = (await engine.printed(/^(BTC|ETH) OPEN /))[1] ?? '';
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    }, 400_000);
    afterAll(async () => {
      await browser?.close();
      await engine.kill();
    });

    it.each(PAGES)('shows %s', async (hash, heading, shown) => {
      faults.length = 0;
      const page = await open(named(hash));
      await page.getByRole('heading', { level: 1, name: named(heading) }).waitFor({ state: 'attached' });
      for (const text of shown) await page.getByText(text).first().waitFor({ state: 'attached' });
      expect(faults).toEqual([]);
      expect(await page.evaluate<number>('globalThis.shifted')).toBeLessThan(SHIFT_MAX);
      await page.context().close();
    });

    it('opens by the link that the command prints, which does not stay in the address', async () => {
      const { stdout } = await runTandem(['dashboard', '--data-dir', dataDir, '--port', new URL(address).port]);
      expect(stdout).toBe(`${address}/#token=${token}\n`);
      const page = await open('#/');
      expect(page.url()).not.toContain(token);
      await page.context().close();
    });

    it('asks for the token without one, refuses a wrong one and takes the right one', async () => {
      const context = await browser.newContext();
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      await page.goto(`${address}/`);
      await page.getByLabel('Token').fill('0'.repeat(64));
      await page.getByRole('button', { name: 'Open' }).click();
      await page.getByText('This is not the token of this engine.').waitFor();
      await page.getByLabel('Token').fill(token);
      await page.getByRole('button', { name: 'Open' }).click();
      await page.getByText('Equity, quote').waitFor();
      await context.close();
    });

    it('travels in time: the pair before its first fill and after it', async () => {
      const page = await open(`#/journal/${base}`);
      await page.getByLabel('Type').selectOption('fill');
      // The rows before the choice are gone once only fills are left.
      const rows = page.getByRole('region', { name: 'Journal rows' });
      await rows.getByRole('cell', { name: 'pair-state', exact: true }).first().waitFor({ state: 'detached' });
      const first = rows.getByRole('link').last();
      const row = Number(await first.textContent());
      await first.click();
      await page.getByRole('heading', { name: `${base} as of row ${row}` }).waitFor();
      await page
        .getByRole('region', { name: 'Positions at that row' })
        .getByText(/^(lighter|extended):main:/)
        .first()
        .waitFor();
      await page.getByRole('link', { name: '← earlier' }).click();
      await page.getByRole('region', { name: 'Positions at that row' }).getByText('No position.').waitFor();
      await page.context().close();
    });

    it('follows an order from the runtime page to its hops', async () => {
      const page = await open('#/runtime');
      await page.getByRole('region', { name: 'Traces' }).getByRole('link').first().click();
      await page.getByRole('region', { name: 'Hops' }).getByRole('link').first().waitFor();
      await page.context().close();
    });

    it('acts only after it was confirmed, with a reason, by keyboard alone', async () => {
      const page = await open('#/');
      await page.getByRole('button', { name: 'Pause' }).focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog', { name: 'Pause entries' });
      await dialog.waitFor();
      expect(await dialog.getByRole('button', { name: 'Pause entries' }).isDisabled()).toBe(true);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Pause' }).press('Enter');
      await dialog.getByLabel('Reason, for the journal').and(page.locator(':focus')).waitFor();
      await page.keyboard.type('looking at it');
      await page.keyboard.press('Enter');
      await page.getByText('looking at it').first().waitFor();
      await page.getByText('ARMED').first().waitFor();
      await page.context().close();
    });

    it('closes everything at kill level 3, whose word must be typed', async () => {
      const page = await open('#/');
      await page.getByLabel('Kill levels').selectOption({ label: 'Kill 3: close all pairs' });
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Reason, for the journal').fill('enough');
      expect(await dialog.getByRole('button', { name: 'Kill 3' }).isDisabled()).toBe(true);
      await dialog.getByLabel('Type CLOSE to confirm').fill('CLOSE');
      await dialog.getByRole('button', { name: 'Kill 3' }).click();
      await engine.printed(new RegExp(`^${base} CLOSED `));
      await page.getByText('HALTED').first().waitFor();
      await page.context().close();
    });

    it('makes a simulated venue misbehave', async () => {
      const page = await open('#/venues');
      await page.getByLabel('Make the simulated venue misbehave').first().selectOption('drop-sockets');
      await page.getByRole('button', { name: 'Inject' }).first().click();
      await page.getByRole('dialog').getByRole('button', { name: 'Inject drop-sockets' }).click();
      await page.getByText('Inject drop-sockets: told to the engine').waitFor();
      await page.context().close();
    });

    it('fits a phone: nothing is wider than the screen, and light where the system is', async () => {
      for (const [hash, heading] of PAGES) {
        const page = await open(named(hash), { viewport: { width: 360, height: 740 }, colorScheme: 'light' });
        await page.getByRole('heading', { level: 1, name: named(heading) }).waitFor({ state: 'attached' });
        const [width, colour] = await page.evaluate<[number, string]>(
          '[document.documentElement.scrollWidth, getComputedStyle(document.documentElement).backgroundColor]',
        );
        expect([hash, width]).toEqual([hash, 360]);
        expect(colour).toBe('rgb(244, 246, 248)');
        await page.context().close();
      }
    });
  },
);
