/** The page as a visitor meets it, in every browser of this machine. */
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

describe.each(Object.keys(BROWSERS))('%s', (name) => {
    const here = BROWSERS[name].available();
    const maybe = here ? test : test.skip;
    let browser;
    let visitor;
    beforeAll(async () => {
        if (here) browser = await openBrowser(name);
    }, 90_000);
    afterAll(() => browser?.close());
    afterEach(async () => {
        const complaints = visitor?.complaints ?? [];
        await visitor?.close();
        visitor = undefined;
        expect(complaints).toEqual([]);
    });

    const step = async (times) => {
        for (let i = 0; i < times; i++) {
            const before = await visitor.decisions();
            await visitor.click('#step');
            await visitor.until(async () => (await visitor.decisions()) > before, 'a step');
        }
    };

    maybe('starts, learns, and pauses', async () => {
        visitor = await browser.open();
        await visitor.made();
        expect(await visitor.text('#run')).toBe('Start');
        await visitor.set('#speed', '8');
        await visitor.click('#run');
        await visitor.until(async () => (await visitor.decisions()) > 593 * 3, 'decisions');
        const states = await visitor.until(() => visitor.number('#count-states'), 'states');
        await visitor.until(async () => (await visitor.number('#count-states')) > states, 'more states');
        expect(await visitor.text('#count-rate')).toMatch(/^\d/);
        expect(await visitor.text('#count-time')).toMatch(/^\d/);
        await visitor.click('#run');
        expect(await visitor.text('#run')).toBe('Start');
        await visitor.until(async () => (await visitor.hash()).decisions * 593 === (await visitor.decisions()), 'the hash of where it stopped');
        const stopped = await visitor.hash();
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(await visitor.hash()).toEqual(stopped);
        expect(stopped.hash).toBe(await nodeHash(1, stopped.decisions));
    });

    maybe('opens an agent by a click and shows why it chose', async () => {
        visitor = await browser.open();
        await visitor.made();
        await step(2);
        await visitor.click('#heat canvas');
        const title = await visitor.until(async () => /·/.test(await visitor.text('#agent-title')) && visitor.text('#agent-title'), 'an agent');
        expect(title).toMatch(/(cell|site) \d+|network/);
        await visitor.until(async () => (await visitor.text('#agent .why')).length > 40, 'its reasons');
        expect(await visitor.text('#agent .why')).toMatch(/epsilon/);
        const rows = await visitor.evaluate(() => [...document.querySelectorAll('#agent tbody tr')].map((row) => row.textContent));
        expect(rows).toHaveLength(3);
        await visitor.set('#find', 't310/0');
        await visitor.until(async () => /T310/.test(await visitor.text('#agent-title')), 'the agent that was looked for');
        await visitor.click('#agent .close');
        expect(await visitor.text('#agent-title')).toBe('An agent');
    });

    maybe('begins anew with another seed, which gives the tables that Node computes', async () => {
        visitor = await browser.open();
        await visitor.made();
        await step(1);
        await visitor.set('#seed', '7');
        await visitor.click('#restart');
        await visitor.until(async () => (await visitor.text('#count-decisions')) === '0', 'the new run');
        await step(2);
        const seen = await visitor.until(async () => {
            const found = await visitor.hash();
            return found.decisions === 2 && found;
        }, 'the hash');
        expect(seen.hash).toBe(await nodeHash(7, 2));
    });

    maybe('says clearly that a budget is too small, and starts with a larger one', async () => {
        visitor = await browser.open('?pages=24');
        expect(await visitor.made()).toBe('failed');
        expect(await visitor.text('#alert-title')).toBe('The memory budget is too small');
        expect(await visitor.text('#alert-text')).toContain('24 pages (1.50 MiB)');
        expect(await visitor.text('#alert-code')).toMatch(/^EXCEEDS_LIMIT: .*maxPages \(24\)/);
        await visitor.click('#alert-actions button');
        await visitor.until(async () => (await visitor.text('#count-pages')).endsWith('of 96'), 'a run in 96 pages');
    });

    maybe('runs out of withdrawn memory, gets it back, and ends where an undisturbed run does', async () => {
        visitor = await browser.open();
        await visitor.made();
        await step(1);
        await visitor.set('#withdraw', '96');
        await visitor.until(async () => /all that was free/.test(await visitor.text('#withdraw-text')), 'the withdrawal');
        await visitor.set('#speed', '8');
        await visitor.click('#run');
        await visitor.until(async () => (await visitor.text('#alert-title')) === 'The memory budget is spent', 'the message');
        expect(await visitor.text('#alert-code')).toMatch(/^EXCEEDS_LIMIT: (learn|step)\(\)/);
        expect(await visitor.text('#run')).toBe('Start');
        const short = await visitor.decisions();
        await visitor.click('#alert-actions button');
        await visitor.until(async () => (await visitor.decisions()) > short, 'the run to go on');
        await visitor.click('#run');
        expect(await visitor.text('#alert-title')).toBe('');
        const seen = await visitor.until(async () => {
            const found = await visitor.hash();
            return found.decisions * 593 === (await visitor.decisions()) && found;
        }, 'the hash');
        expect(seen.hash).toBe(await nodeHash(1, seen.decisions));
    });

    maybe('forbids a parameter, and shows what is refused', async () => {
        visitor = await browser.open();
        await visitor.made();
        await visitor.set('#find', 'tilt/0');
        await visitor.click('#forbid input[name=tilt]');
        for (let i = 0; i < 12 && !/forbidden/.test(await visitor.text('#agent .list')); i++) await step(1);
        expect(await visitor.text('#agent .list')).toMatch(/^refused: 10 degrees → (8|12) degreesforbidden by you/);
        expect(await visitor.text('#agent .why')).toMatch(/You have forbidden this parameter/);
        expect(await visitor.text('#agent .features')).toMatch(/Remote electrical tilt/);
    });

    maybe('is driven by the keyboard alone', async () => {
        visitor = await browser.open();
        await visitor.made();
        const focused = () => visitor.evaluate(() => document.activeElement.id || document.activeElement.parentElement?.id);
        const tabTo = async (id) => {
            for (let i = 0; i < 40 && (await focused()) !== id; i++) await visitor.press('Tab');
            expect(await focused()).toBe(id);
        };
        await tabTo('run');
        await visitor.press('Enter');
        await visitor.until(async () => (await visitor.decisions()) > 0, 'decisions');
        await visitor.press('Enter');
        await tabTo('heat');
        for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown']) await visitor.press(key);
        expect(await visitor.text('#spoken')).toMatch(/offset\/1/);
        await visitor.press('Enter');
        await visitor.until(async () => /Cell individual offset · cell 2/.test(await visitor.text('#agent-title')), 'the agent');
        await visitor.press('Escape');
        expect(await visitor.text('#agent-title')).toBe('An agent');
        expect(await focused()).toBe('heat');
    });

    maybe('fits a phone', async () => {
        visitor = await browser.open('', { width: 360, height: 740, dark: true, calm: true, touch: true });
        await visitor.made();
        await step(1);
        const found = await visitor.evaluate(() => ({
            wider: [...document.querySelectorAll('main *')].filter((node) => node.getBoundingClientRect().right > innerWidth + 1 && !node.closest('.visually-hidden')).map((node) => node.outerHTML.slice(0, 80)),
            scrolls: document.documentElement.scrollWidth > innerWidth,
            small: [...document.querySelectorAll('button, select, input:not([type=checkbox])')].filter((node) => node.offsetParent && node.getBoundingClientRect().height < 28).map((node) => node.id),
        }));
        expect(found).toEqual({ wider: [], scrolls: false, small: [] });
    });
});
