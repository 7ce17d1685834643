/**
 * One agent opened: what it sees, what each action is worth to it, why it chose as it did, which features are near,
 * what became of its last changes, and what it costs.
 */
import { CREW } from './facts.js';
import { bar, element, say } from './dom.js';
import { bytes, capital, clock, figure, fixed, integer, percent, signed } from './format.js';

const ACTIONS = Object.freeze(['keep', 'one down', 'one up']);
/** Before a change that was not simply applied. */
const HEADS = Object.freeze({ applied: '', rejected: 'refused: ', 'rolled-back': 'taken back: ' });

const NO_FEATURES = Object.freeze({ none: 'No knowledge of features is loaded in this run.', 'no memory': 'There is no memory left to look them up.' });

/** A level in words; beyond the last one there is none. */
const withUnit = (knob, level) => (level in knob.levels ? `${fixed(knob.levels[level], decimals(knob))}${knob.unit ? ` ${knob.unit}` : ''}` : 'beyond');
const decimals = ({ levels }) => Math.max(...levels.map((level) => (String(level).split('.')[1] ?? '').length));

/** A sentence for what the table says. */
export function reason({ why, metrics, level, held }, knob) {
    const { action, qValues, visits, probability } = why;
    const worth = (a) => `${signed(qValues[a], 3)} over ${integer(visits[a])} ${visits[a] === 1 ? 'try' : 'tries'}`;
    const doing = ['keep', 'lower', 'raise'][action];
    if (action < 0) return 'Its safe zone allows nothing now: it waits.';
    const parts = [];
    if (visits.every((count) => count === 0)) {
        parts.push(`It has never been here before, so it would ${doing} ${withUnit(knob, level)}: with nothing learned, the first action wins a tie.`);
    } else if (action === 0) {
        parts.push(`It would keep ${withUnit(knob, level)}: here going down was worth ${worth(1)}, going up ${worth(2)}, and keeping is 0 by definition.`);
    } else {
        parts.push(`It would ${doing} ${withUnit(knob, level)}: here that was worth ${worth(action)}, and keeping is 0 by definition.`);
    }
    parts.push(`With epsilon at ${fixed(metrics.exploration, 3)} it does so ${percent(probability[action])} of the time and otherwise tries at random.`);
    if (held) parts.push('You have forbidden this parameter: whatever it tries, nothing is moved.');
    return parts.join(' ');
}

export class AgentPanel {
    /** @param {HTMLElement} host @param {{ close: () => void }} options */
    constructor(host, { close }) {
        this.host = host;
        this.close = close;
        this.empty();
    }

    empty() {
        this.index = null;
        this.host.replaceChildren(
            element('header', {}, [element('h2', { id: 'agent-title', text: 'An agent' })]),
            element('p', { class: 'empty', text: 'Choose one of the 593 in the picture above, a cell in the map, or a name under “Find”: its values, its reasons, its changes and its memory are shown here as it learns.' }),
        );
    }

    /** Opens an agent; what it is doing follows with the next frame. */
    open(index) {
        this.index = index;
        const { knob, place, name } = CREW[index];
        this.title = element('h2', { id: 'agent-title', tabindex: '-1', class: 'title' }, [
            `${capital(knob.title)} · ${place}`,
            element('span', { text: `${name} · ${knob.category} · Q-learning, epsilon-greedy, one table` }),
        ]);
        const closer = element('button', { type: 'button', class: 'close', text: 'Close' });
        closer.addEventListener('click', this.close);
        this.parts = {
            levels: element('ul', { class: 'levels', 'aria-label': 'Levels' }),
            why: element('p', { class: 'why' }),
            actions: element('tbody'),
            features: element('div', { class: 'features' }),
            changes: element('div', { class: 'changes' }),
            facts: element('dl', { class: 'facts' }),
            sees: element('ul', { class: 'sees' }),
        };
        this.facts = new Map();
        this.host.replaceChildren(element('header', {}, [this.title, closer]), this.columns());
    }

    columns() {
        const { levels, why, actions, features, changes, facts, sees } = this.parts;
        const head = [['action'], ['value', 2], ['chosen', 1, 'number'], ['tried', 1, 'number']].map(([text, span, look]) => (
            element('th', { scope: 'col', text, colspan: span, class: look })));
        const section = (title, children, wide) => element('section', { class: wide ? 'wide' : null }, [element('h3', { text: title }), ...children]);
        return element('div', { class: 'columns' }, [
            section('Level and why', [levels, why], true),
            section('Values in the state it is in', [element('table', {}, [element('thead', {}, [element('tr', {}, head)]), actions])]),
            section('Last changes and refusals', [changes]),
            section('In figures', [facts]),
            section('Nearest features', [features]),
            element('details', { class: 'wide' }, [element('summary', { text: 'What it sees (in bold: what its table is keyed by)' }), sees]),
        ]);
    }

    /** @param {object} agent as `Frames.agent` reads it */
    update(agent) {
        if (agent.index !== this.index) return;
        const { knob } = CREW[agent.index];
        this.showLevels(agent, knob);
        say(this.parts.why, agent.why ? reason(agent, knob) : 'There is no memory left even to ask it why.');
        if (agent.why) this.showActions(agent.why, agent.zone);
        this.showChanges(agent, knob);
        this.showFeatures(agent.features);
        this.showFacts(agent);
        this.showSees(agent.sees);
    }

    showLevels({ level }, knob) {
        const { levels } = this.parts;
        if (levels.dataset.level === String(level)) return;
        levels.dataset.level = String(level);
        levels.replaceChildren(...knob.levels.map((value, i) => element('li', {
            class: [i === level ? 'now' : '', value === knob.default ? 'default' : ''].join(' ').trim() || null,
            'aria-current': i === level ? 'true' : null,
            title: value === knob.default ? 'the default' : null,
            text: fixed(value, decimals(knob)),
        })), element('li', { class: 'unit', text: `${knob.unit}${knob.unit ? ' · ' : ''}dashed: default` }));
    }

    showActions({ action, qValues, visits, probability }, { allowed }) {
        const most = Math.max(0.01, ...qValues.map(Math.abs));
        this.parts.actions.replaceChildren(...ACTIONS.map((name, a) => element('tr', { class: a === action ? 'chosen' : null }, [
            element('td', {}, [a === action ? `${name} ◂` : name, ...(allowed[a] ? [] : [element('small', { text: ' not allowed now' })])]),
            element('td', { class: 'number', text: signed(qValues[a], 3) }),
            element('td', {}, [bar(qValues[a], -most, most, `value ${fixed(qValues[a], 3)}`)]),
            element('td', { class: 'number', text: percent(probability[a]) }),
            element('td', { class: 'number', text: integer(visits[a]) }),
        ])));
    }

    showChanges({ changes }, knob) {
        const rows = changes.map(({ from, to, status, reason, day, hour }) => element('li', {}, [
            element('span', { class: status === 'applied' ? null : 'refused' }, [
                `${HEADS[status] ?? status}${withUnit(knob, from)} → ${withUnit(knob, to)}`,
                ...(reason ? [element('small', { text: reason })] : []),
            ]),
            element('span', { class: 'when', text: `day ${day + 1}, ${clock(hour)}` }),
        ]));
        const list = rows.length > 0
            ? element('ul', { class: 'list', tabindex: '0', 'aria-label': 'Last changes' }, rows)
            : element('p', { class: 'note', text: 'It has not moved yet.' });
        this.replace('changes', [list], JSON.stringify(changes));
    }

    showFeatures(features) {
        const part = Array.isArray(features) && features.length > 0
            ? element('ul', { class: 'list' }, features.map(({ code, name, score }) => element('li', {}, [
                element('span', {}, [name, element('small', { text: code })]), element('span', { class: 'when', text: fixed(score, 2) }),
            ])))
            : element('p', { class: 'note', text: NO_FEATURES[features] ?? 'None is near.' });
        this.replace('features', [part], JSON.stringify(features));
    }

    /** Leaves alone what has not changed: a list that is being scrolled stays where it is. */
    replace(part, children, key) {
        const node = this.parts[part];
        if (node.key === key) return;
        node.key = key;
        node.replaceChildren(...children);
    }

    showFacts({ metrics, memory, recentReward }) {
        const figures = {
            'reward, recent': signed(recentReward, 3), 'TD error, mean': figure(metrics.tdErrorMean), epsilon: fixed(metrics.exploration, 3),
            'learning steps': integer(metrics.learningSteps), 'states in its table': integer(metrics.states), memory: bytes(memory.liveBytes),
            'of it table': bytes(memory.tableBytes), quota: bytes(memory.quotaBytes),
        };
        for (const [name, text] of Object.entries(figures)) {
            if (!this.facts.has(name)) {
                this.facts.set(name, element('dd'));
                this.parts.facts.append(element('div', {}, [element('dt', { text: name }), this.facts.get(name)]));
            }
            say(this.facts.get(name), text);
        }
    }

    showSees(sees) {
        this.parts.sees.replaceChildren(...sees.map(({ name, bins, value, min, max }) => element('li', {
            class: bins > 0 ? 'keyed' : null, title: `${figure(min)} … ${figure(max)}${bins > 0 ? `, ${bins} bins` : ''}`,
        }, [element('span', { text: name }), element('span', { text: figure(value) })])));
    }
}
