/**
 * The page in a real browser, driven the same way in all: Chromium by playwright-core, Firefox through WebDriver BiDi by
 * puppeteer-core. QHIVE_CHROMIUM and QHIVE_FIREFOX name the programs; otherwise the usual names are looked up on PATH.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../cmake/build.mjs';
import { findChromium } from '../browser/chromium.js';
import { folder } from '../../web/build.js';
import { servePage } from '../../web/server.js';

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
            return context.newPage();
        },
        close: () => browser.close(),
    };
}

async function launchFirefox() {
    const { default: puppeteer } = await import('puppeteer-core');
    const profile = mkdtempSync(join(tmpdir(), 'qhive-firefox-'));
    const browser = await puppeteer.launch({ browser: 'firefox', executablePath: findFirefox(), headless: true, userDataDir: profile, timeout: 60_000 });
    return {
        async newPage({ width, height }) {
            const page = await browser.newPage();
            await page.setViewport({ width, height });
            return page;
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

/** Serves the page and starts a browser. @param {'Chromium' | 'Firefox'} name */
export async function openBrowser(name) {
    const server = await servePage({ folder });
    const browser = await BROWSERS[name].launch();
    const { port } = server.address();
    return {
        /** The page, with everything that it or the browser complained about in `complaints`. */
        async open(query = '', options = { width: 1280, height: 900 }) {
            const page = await browser.newPage(options);
            const complaints = [];
            page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
            page.on('console', (message) => {
                if (['error', 'warning', 'warn'].includes(message.type())) complaints.push(message.text());
            });
            await page.goto(`http://127.0.0.1:${port}/${query}`);
            return new Visitor(page, complaints);
        },
        async close() {
            await browser.close();
            server.closeAllConnections();
            await new Promise((resolve) => void server.close(resolve));
        },
    };
}

/** Somebody who looks at the page. */
class Visitor {
    constructor(page, complaints) {
        this.page = page;
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
    async until(read, what, milliseconds = 15_000) {
        const end = performance.now() + milliseconds;
        for (;;) {
            const found = await read();
            if (found) return found;
            if (performance.now() > end) throw new Error(`waited in vain for ${what}; complaints: ${this.complaints.join(' | ') || 'none'}`);
            await new Promise((resolve) => setTimeout(resolve, 60));
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
