/** The figures along the top. */
import { AGENTS, PAGE_BYTES } from './facts.js';
import { byId, element, say } from './dom.js';
import { bytes, clock, integer, nanoseconds, short } from './format.js';

/** Name, title, and what is shown of a frame: value and unit. */
const COUNTERS = [
    ['clock', 'simulated', ({ day, hour, evaluating }) => [`Day ${day + 1}`, evaluating ? 'measuring' : clock(hour)]],
    ['decisions', 'decisions in all', ({ decisions }) => [integer(decisions * AGENTS), '']],
    ['rate', 'decisions a second', ({ networkDecisions }) => [short(Math.round(networkDecisions * AGENTS)), '/ s']],
    ['time', 'to learn and decide', ({ stepMs }) => (stepMs > 0 ? nanoseconds((stepMs * 1e6) / AGENTS) : ['–', '']), 'Time of a batch step by the number of agents'],
    ['pages', 'pages', ({ pages, maxPages }) => [`${integer(pages)} of ${integer(maxPages)}`, bytes(maxPages * PAGE_BYTES)]],
    ['live', 'live bytes', ({ liveBytes }) => [bytes(liveBytes), '']],
    ['states', 'states learned', ({ memory }) => memory && [integer(memory.states), '']],
    ['pool', 'state pool', ({ memory }) => memory && [`${integer(memory.pools[0].inUse)} of ${integer(memory.pools[0].capacity)}`, '']],
];

export class Counters {
    constructor() {
        this.rows = COUNTERS.map(([name, title, read, help]) => {
            const value = element('span', { id: `count-${name}`, text: '–' });
            const unit = element('small');
            byId('counters').append(element('div', { title: help }, [element('dt', { text: title }), element('dd', {}, [value, unit])]));
            return { read, value, unit };
        });
    }

    update(frame) {
        for (const { read, value, unit } of this.rows) {
            const shown = read(frame);
            if (!shown) continue;
            say(value, shown[0]);
            say(unit, shown[1]);
        }
    }
}
