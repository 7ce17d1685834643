/**
 * The page as a visitor meets it, in every browser of this machine. A browser is started once and the page loaded once: the tests of
 * a browser are one visit, each going on where the one before stopped. Both browsers start at the same time.
 */
import { createRuntime } from 'qhive';
import { agentConfigs } from '../../examples/ran/agents.js';
import { Crew } from '../../examples/ran/crew.js';
import { Guard, bound } from '../../examples/ran/guard.js';
import { TrainingDay } from '../../examples/ran/loop.js';
import { trainingSeed } from '../../web/src/simulation.js';
import { BROWSERS, openBrowser } from './drivers.js';

/** The tables' hash after some decisions, without anything of the page but its seeds. */
async function nodeHash(seed, decisions) {
    const runtime = await createRuntime({ seed });
    const guard = new Guard(runtime);
    guard.agents = agentConfigs().map((config) => runtime.createAgent(bound(config)));
    const [batch, crew] = [runtime.batch(guard.agents), new Crew()];
    let day;
    for (let i = 0; i < decisions; i++) {
        if (!day || day.over) day = new TrainingDay(batch, crew, trainingSeed(seed, Math.floor(i / 48)), guard);
        day.advance();
    }
    return runtime.hash();
}

const names = Object.keys(BROWSERS);
const started = new Map();
beforeAll(() => {
    for (const name of names.filter((one) => BROWSERS[one].available())) {
        started.set(name, openBrowser(name));
        started.get(name).catch(() => {}); // told by the tests of that browser
    }
});
afterAll(() => Promise.all([...started.values()].map(async (promise) => (await promise).close())));

describe.each(names)('%s', (name) => {
    const here = BROWSERS[name].available();
    const maybe = here ? test : test.skip;
    let browser;
    let visitor;
    beforeAll(async () => {
        if (!here) return;
        browser = await started.get(name);
        visitor = await browser.open('?pages=24');
    });

    const step = async (times = 1) => {
        for (let i = 0; i < times; i++) {
            const before = await visitor.decisions();
            await visitor.click('#step');
            await visitor.until(async () => (await visitor.decisions()) > before, 'a step');
        }
    };
    /** Runs as fast as it can until something is true, and pauses. */
    const runUntil = async (read, what) => {
        await visitor.set('#speed', 'Infinity');
        await visitor.click('#run');
        await visitor.until(read, what);
        await visitor.click('#run');
        expect(await visitor.text('#run')).toBe('Start');
    };
    /** The hash that the page shows of where it stands: what the worker says after the last command, not while that is on its way. */
    const settled = async () => {
        await visitor.until(() => visitor.evaluate(() => document.body.dataset.settled === 'true'), 'the hash of where it stopped');
        const seen = await visitor.hash();
        expect(await visitor.decisions()).toBe(seen.decisions * 593);
        return seen;
    };
    const startOver = async (seed) => {
        await visitor.set('#seed', String(seed));
        await visitor.click('#restart');
        await visitor.until(async () => (await visitor.text('#count-decisions')) === '0', 'the new run');
        await visitor.made();
    };
    const focused = () => visitor.evaluate(() => document.activeElement.id || document.activeElement.parentElement?.id);

    maybe('says clearly that a budget is too small, and starts with a larger one', async () => {
        expect(await visitor.made()).toBe('failed');
        expect(await visitor.text('#alert-title')).toBe('The memory budget is too small');
        expect(await visitor.text('#alert-text')).toContain('24 pages (1.50 MiB)');
        expect(await visitor.text('#alert-code')).toMatch(/^EXCEEDS_LIMIT: .*maxPages \(24\)/);
        await visitor.click('#alert-actions button');
        await visitor.until(async () => (await visitor.text('#count-pages')).endsWith('of 96'), 'a run in 96 pages');
        expect(await visitor.text('#alert-title')).toBe('');
        expect(await visitor.text('#run')).toBe('Start');
        expect(await focused()).toBe('run');
    });

    maybe('is driven by the keyboard alone: starts, pauses, shows an agent, closes it', async () => {
        const tabTo = async (id) => {
            for (let i = 0; i < 40 && (await focused()) !== id; i++) await visitor.press('Tab');
            expect(await focused()).toBe(id);
        };
        await visitor.press('Enter');
        await visitor.until(async () => (await visitor.decisions()) > 593, 'decisions');
        expect(await visitor.text('#count-rate')).toMatch(/^\d/);
        await visitor.press('Enter');
        expect(await visitor.text('#run')).toBe('Start');
        await tabTo('heat');
        for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown']) await visitor.press(key);
        expect(await visitor.text('#spoken')).toMatch(/offset\/1/);
        await visitor.press('Enter');
        await visitor.until(async () => /Cell individual offset · cell 2/.test(await visitor.text('#agent-title')), 'the agent');
        await visitor.press('Escape');
        expect(await visitor.text('#agent-title')).toBe('An agent');
        expect(await focused()).toBe('heat');
    });

    maybe('learns: the numbers move, pause with it, and are those that Node computes', async () => {
        const states = await visitor.number('#count-states');
        await runUntil(async () => (await visitor.number('#count-states')) > states + 100, 'more states');
        expect(await visitor.text('#count-time')).toMatch(/^\d/);
        expect(await visitor.text('#count-pool')).toBe('593 of 600');
        const stopped = await settled();
        expect(stopped.hash).toBe(await nodeHash(1, stopped.decisions));
        expect(await settled()).toEqual(stopped);
    });

    maybe('opens an agent by a click and shows why it chose', async () => {
        await visitor.click('#heat canvas');
        const title = await visitor.until(async () => /·/.test(await visitor.text('#agent-title')) && visitor.text('#agent-title'), 'an agent');
        expect(title).toMatch(/(cell|site) \d+|network/);
        await visitor.set('#find', 'tilt/0');
        await visitor.until(async () => /down-tilt · cell 1/.test(await visitor.text('#agent-title')) && (await visitor.text('#agent .why')).length > 40, 'the agent that was looked for, with its reasons');
        expect(await visitor.text('#agent .why')).toMatch(/epsilon/);
        expect(await visitor.text('#agent .features')).toMatch(/Digital tilt/);
        const rows = await visitor.evaluate(() => [...document.querySelectorAll('#agent tbody tr')].map((row) => row.textContent));
        expect(rows).toHaveLength(3);
    });

    maybe('shows each measure, with its own scale', async () => {
        const legends = new Set();
        for (const measure of ['tdError', 'epsilon', 'visits', 'memory', 'reward']) {
            const before = await visitor.text('#heat-legend');
            await visitor.set('#measure', measure);
            legends.add(await visitor.until(async () => (await visitor.text('#heat-legend')) !== before && visitor.text('#heat-legend'), `the scale of ${measure}`));
        }
        expect(legends.size).toBe(5);
    });

    maybe('forbids a parameter, and shows what is refused', async () => {
        await visitor.click('#forbid input[name=tilt]');
        await runUntil(async () => /forbidden/.test(await visitor.text('#agent .list')), 'a refusal');
        expect(await visitor.text('#agent .list')).toMatch(/^refused: \d+ degrees → \d+ degreesforbidden by you/);
        expect(await visitor.text('#agent .why')).toMatch(/You have forbidden this parameter/);
        await visitor.click('#agent .close');
        expect(await visitor.text('#agent-title')).toBe('An agent');
    });

    maybe('begins anew with another seed, runs out of withdrawn memory, gets it back, and ends where an undisturbed run does', async () => {
        await startOver(7);
        await step(2);
        await visitor.set('#withdraw', '96');
        await visitor.until(async () => /all that was free/.test(await visitor.text('#withdraw-text')), 'the withdrawal');
        await visitor.click('#run');
        await visitor.until(async () => (await visitor.text('#alert-title')) === 'The memory budget is spent', 'the message');
        expect(await visitor.text('#alert-code')).toMatch(/^EXCEEDS_LIMIT: (learn|step)\(\)/);
        expect(await visitor.text('#run')).toBe('Start');
        const short = await visitor.decisions();
        await visitor.click('#alert-actions button');
        await visitor.until(async () => (await visitor.decisions()) > short, 'the run to go on');
        await visitor.click('#run');
        expect(await visitor.text('#alert-title')).toBe('');
        const seen = await settled();
        expect(seen.hash).toBe(await nodeHash(7, seen.decisions));
    });

    maybe('fits a phone', async () => {
        await visitor.resize({ width: 360, height: 740 });
        await visitor.until(() => visitor.evaluate(() => innerWidth === 360 && document.querySelector('#heat canvas').getBoundingClientRect().width < 360), 'the narrow page');
        const found = await visitor.evaluate(() => ({
            wider: [...document.querySelectorAll('main *')].filter((node) => node.getBoundingClientRect().right > innerWidth + 1 && !node.closest('.visually-hidden')).map((node) => node.outerHTML.slice(0, 80)),
            scrolls: document.documentElement.scrollWidth > innerWidth,
            small: [...document.querySelectorAll('button, select, input:not([type=checkbox])')].filter((node) => node.offsetParent && node.getBoundingClientRect().height < 28).map((node) => node.id),
        }));
        expect(found).toEqual({ wider: [], scrolls: false, small: [] });
    });

    maybe('works from a folder of a host that sends no headers, dark and without motion', async () => {
        const other = await browser.open('?seed=5&start', { host: 'plain', dark: true, calm: true, width: 390, height: 800, touch: true });
        await other.made();
        await other.until(async () => (await other.decisions()) > 0, 'decisions');
        expect(await other.evaluate(() => document.querySelector('#seed').value)).toBe('5');
        expect(other.complaints).toEqual([]);
        await other.close();
    });

    maybe('was never complained about', () => expect(visitor.complaints).toEqual([]));
});
