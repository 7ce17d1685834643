/**
 * The page in a real browser, driven the same way in all: Chromium by playwright-core, Firefox through WebDriver BiDi by
 * puppeteer-core. QHIVE_CHROMIUM and QHIVE_FIREFOX name the programs; otherwise the usual names are looked up on PATH.
 */
import { createServer } from 'node:http';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { findProgram } from '../../cmake/build.mjs';
import { findChromium } from '../browser/chromium.js';
import { folder } from '../../web/build.js';
import { addressOf, servePage } from '../../web/server.js';

const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-dev-shm-usage'];

/** The path of a Firefox, or undefined. */
export function findFirefox() {
    const { QHIVE_FIREFOX } = process.env;
    if (QHIVE_FIREFOX) return existsSync(QHIVE_FIREFOX) ? QHIVE_FIREFOX : undefined;
    return findProgram('firefox-esr', 'firefox');
}

async function launchChromium() {
    const { chromium } = await import('playwright-core');
    const browser = await chromium.launch({ executablePath: findChromium(), args: ARGUMENTS });
    return {
        async newPage({ width, height, dark = false, calm = false, touch = false }) {
            const context = await browser.newContext({
                viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', reducedMotion: calm ? 'reduce' : 'no-preference', hasTouch: touch,
            });
            const page = await context.newPage();
            return { page, resize: (size) => page.setViewportSize(size) };
        },
        close: () => browser.close(),
    };
}

async function launchFirefox() {
    const { default: puppeteer } = await import('puppeteer-core');
    const profile = mkdtempSync(join(tmpdir(), 'qhive-firefox-'));
    const browser = await puppeteer.launch({ browser: 'firefox', executablePath: findFirefox(), headless: true, userDataDir: profile, timeout: 120_000 });
    return {
        async newPage({ width, height }) {
            const page = await browser.newPage();
            await page.setViewport({ width, height });
            return { page, resize: (size) => page.setViewport(size) };
        },
        async close() {
            await browser.close();
            rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
        },
    };
}

export const BROWSERS = Object.freeze({
    Chromium: { available: () => findChromium() !== undefined, launch: launchChromium },
    Firefox: { available: () => findFirefox() !== undefined, launch: launchFirefox },
});

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

/** The plainest host there is: files from a folder of its own, no header but the type. */
function servePlainly(prefix) {
    const server = createServer(({ url }, response) => {
        const [path] = url.split('?');
        const name = path === prefix ? 'index.html' : basename(path);
        const file = join(folder, name);
        if (!path.startsWith(prefix) || !existsSync(file)) response.writeHead(404).end();
        else response.writeHead(200, { 'Content-Type': TYPES[extname(name)] }).end(readFileSync(file));
    });
    return new Promise((resolve) => void server.listen(0, '127.0.0.1', () => resolve(server)));
}

const SUB_PATH = '/some/deep/folder/';

/** Serves the page, under its policy and plainly from a folder, and starts a browser. @param {'Chromium' | 'Firefox'} name */
export async function openBrowser(name) {
    const [strict, plain, browser] = await Promise.all([servePage({ folder }), servePlainly(SUB_PATH), BROWSERS[name].launch()]);
    const addresses = { strict: addressOf(strict), plain: `http://127.0.0.1:${plain.address().port}${SUB_PATH}` };
    return {
        /** The page, with everything that it or the browser complained about in `complaints`. */
        async open(query = '', { host = 'strict', ...options } = {}) {
            const { page, resize } = await browser.newPage({ width: 1280, height: 900, ...options });
            const complaints = [];
            page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
            page.on('console', (message) => {
                if (['error', 'warning', 'warn'].includes(message.type())) complaints.push(message.text());
            });
            await page.goto(`${addresses[host]}${query}`);
            return new Visitor(page, resize, complaints);
        },
        async close() {
            await browser.close();
            for (const server of [strict, plain]) {
                server.closeAllConnections();
                await new Promise((resolve) => void server.close(resolve));
            }
        },
    };
}

/** Somebody who looks at the page. */
class Visitor {
    constructor(page, resize, complaints) {
        this.page = page;
        this.resize = resize;
        this.complaints = complaints;
    }

    evaluate(call, argument) {
        return this.page.evaluate(call, argument);
    }

    /** What an element says, '' where it is hidden. */
    text(selector) {
        return this.evaluate((at) => {
            const node = document.querySelector(at);
            return node && !node.closest('[hidden]') ? node.textContent.trim() : '';
        }, selector);
    }

    /** Number of what an element says. */
    async number(selector) {
        return Number((await this.text(selector)).replace(/[^\d.-]/g, ''));
    }

    click(selector) {
        return this.page.click(selector);
    }

    press(key) {
        return this.page.keyboard.press(key);
    }

    /** Chooses an option, or sets a field as typing would. */
    set(selector, value) {
        return this.evaluate(([at, wanted]) => {
            const field = document.querySelector(at);
            field.value = wanted;
            for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));
        }, [selector, value]);
    }

    /** Waits until `read` gives something true and returns it. */
    async until(read, what, milliseconds = 60_000) {
        const end = performance.now() + milliseconds;
        for (;;) {
            const found = await read();
            if (found) return found;
            if (performance.now() > end) throw new Error(`waited in vain for ${what}; complaints: ${this.complaints.join(' | ') || 'none'}`);
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }

    /** Waits until the run is made (or could not be). */
    made() {
        return this.until(() => this.evaluate(() => document.body.dataset.made), 'the run to be made');
    }

    decisions() {
        return this.number('#count-decisions');
    }

    /** The hash of the tables, and after how many decisions of the network. */
    async hash() {
        const [, hash, decisions] = /^([0-9a-f]{16}) after ([\d,]+) decisions$/.exec(await this.text('#hash')) ?? [];
        return { hash, decisions: Number(decisions?.replaceAll(',', '')) };
    }

    close() {
        return this.page.close();
    }
}
