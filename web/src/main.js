/** The page: wires the controls, the panels and the worker. */
import { AgentPanel } from './agent.js';
import { Counters } from './counters.js';
import { Curves } from './curves.js';
import { byId, element, say } from './dom.js';
import { CREW, KNOBS, MAX_SEED, OUT_OF_MEMORY, PAGE_BYTES, SECTORS, agentOf } from './facts.js';
import { bytes, integer, pages } from './format.js';
import { HeatMap, MEASURES } from './heat.js';
import { MAP_LEGEND, NetworkMap } from './map.js';
import { MemoryPanel } from './memory.js';
import { WhatIf } from './whatif.js';

const EVERY = { values: 90, agent: 120, memory: 400 };      // ms between looks at what costs time
const MORE_PAGES = 16;

const worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
const post = (type, rest = {}) => worker.postMessage({ type, ...rest });
/** What starts, stops or replaces the run. */
const command = (type, rest = {}) => {
    document.body.dataset.settled = false;
    post(type, { ...rest, command: ++state.command });
};

const state = { command: 0, running: false, waiting: false, stale: true, made: false, measure: 'reward', agent: null, last: { values: 0, agent: 0, memory: 0 }, curves: true, maxPages: 96 };

const counters = new Counters();
const curves = new Curves();
const memory = new MemoryPanel(byId('memory'));
const map = new NetworkMap(byId('map'), { choose: openCell });
const heat = new HeatMap(byId('heat'), { choose: (agent) => openAgent(agent, true) });
const panel = new AgentPanel(byId('agent'), { close: closeAgent });
const whatIf = new WhatIf({
    withdraw: (count) => { post('withdraw', { pages: count }); refresh(); },
    forbid: (knob, forbidden) => { post('forbid', { knob, forbidden }); refresh(); },
});

/** Asks for a full picture soon, running or not. */
function refresh() {
    state.stale = true;
    state.last.values = state.last.agent = state.last.memory = -Infinity;
}

// ---------------------------------------------------------------- agents

function openAgent(index, focus) {
    state.agent = index;
    const { knob, unit, name } = CREW[index];
    panel.open(index);
    heat.select(index);
    memory.mark(name);
    map.select(knob.scope === 'cell' ? [unit] : knob.scope === 'site' ? [0, 1, 2].map((k) => unit * SECTORS + k) : []);
    refresh();
    if (!focus) return;
    const title = byId('agent-title');
    title.focus({ preventScroll: true });
    const { top, bottom } = title.getBoundingClientRect();
    if (top < 0 || bottom + 80 > innerHeight) byId('agent').scrollIntoView({ block: 'start' });
}

function closeAgent() {
    state.agent = null;
    panel.empty();
    heat.select(null);
    memory.mark(null);
    map.select([]);
    heat.surface.canvas.focus({ preventScroll: true });
}

/** The agent of a cell that turns the knob that is open now, or its tilt. */
function openCell(cell) {
    const open = state.agent === null ? KNOBS[0] : CREW[state.agent].knob;
    openAgent(agentOf(open.scope === 'cell' ? open : KNOBS[0], cell), true);
}

// ---------------------------------------------------------------- frames

function draw(now) {
    requestAnimationFrame(draw);
    map.paint(now);
    heat.paint();
    memory.paint();
    if (state.waiting || !state.made || !(state.running || state.stale)) return;
    ask(now);
}

function ask(now) {
    const due = (name) => now - state.last[name] >= EVERY[name] && (state.last[name] = now);
    state.waiting = true;
    post('frame', {
        now: state.stale,
        measure: due('values') ? state.measure : undefined,
        memory: Boolean(due('memory')),
        agent: state.agent !== null && due('agent') ? state.agent : null,
        curves: state.curves,
    });
    state.curves = state.stale = false;
}

function onFrame(frame) {
    state.waiting = false;
    if (frame.command === state.command) {
        if (frame.running !== state.running) setRunning(frame.running);
        showFailure(frame.failure);
    }
    if (!frame.cells) return;
    if (frame.memory) frame.memory.free = freeBytes(frame);
    map.update(frame, performance.now());
    counters.update(frame);
    if (frame.values && frame.measure === state.measure) showValues(frame);
    if (frame.memory) {
        memory.update(frame.memory, frame.maxPages);
        whatIf.update(frame);
        say(byId('hash'), `${frame.memory.hash} after ${integer(frame.decisions)} decisions`);
        document.body.dataset.settled = frame.command === state.command && !frame.running; // as it stays until the next command
    }
    if (frame.agent) panel.update(frame.agent);
    if (frame.curves) curves.update(frame.curves);
}

/** What is left of the budget. */
function freeBytes({ maxPages, liveBytes, memory: { layout } }) {
    return Math.max(0, maxPages * PAGE_BYTES - layout.find(({ name }) => name === 'pools').start - liveBytes);
}

function showValues({ measure, values }) {
    heat.update(measure, values);
    const { ramp, low, high, tell } = heat.legend();
    const legend = byId('heat-legend');
    const key = [ramp, low, high].join();
    if (legend.key === key) return;
    legend.key = key;
    legend.replaceChildren(element('span', {}, [low, element('span', { class: `ramp ${ramp}` }), high]), element('span', { text: tell }));
}

// ---------------------------------------------------------------- the run

function setRunning(running) {
    state.running = running;
    say(byId('run'), running ? 'Pause' : 'Start');
    byId('step').disabled = running || !state.made;
    document.body.dataset.running = running;
    if (!running) refresh();
}

function toggle() {
    command(state.running ? 'pause' : 'start');
    setRunning(!state.running);
    hideFailure();
    refresh();
}

function make() {
    const [seed, maxPages] = [byId('seed').valueAsNumber, byId('budget').valueAsNumber];
    state.made = false;
    state.maxPages = maxPages;
    setRunning(false);
    hideFailure();
    byId('run').disabled = byId('step').disabled = true;
    whatIf.reset();
    state.curves = true;
    command('make', { seed, maxPages });
}

function onMade({ failure }) {
    state.made = true;
    state.waiting = false;
    byId('run').disabled = byId('step').disabled = Boolean(failure);
    document.body.dataset.made = failure ? 'failed' : 'yes';
    showFailure(failure);
    refresh();
    refocus();
    if (!failure && starting) toggle();
    starting = false;
}

// ---------------------------------------------------------------- failures

let shown = null;

function hideFailure() {
    shown = null;
    byId('alert').hidden = true;
}

function showFailure(failure) {
    if (!failure) return;
    const key = failure.code + failure.message;
    if (key === shown) return;
    shown = key;
    const [title, text, actions] = wording(failure);
    byId('alert').hidden = false;
    say(byId('alert-title'), title);
    say(byId('alert-text'), text);
    say(byId('alert-code'), `${failure.code}: ${failure.message}`);
    byId('alert-actions').replaceChildren(...actions.map(([label, act]) => {
        const button = element('button', { type: 'button', text: label });
        button.addEventListener('click', () => {
            act();
            state.refocus = true;
            refocus();
        });
        return button;
    }));
}

/** Who has answered a message goes on with the run: the button that was pressed is gone. */
function refocus() {
    if (!state.refocus || byId('run').disabled) return;
    state.refocus = false;
    byId('run').focus({ preventScroll: true });
}

function wording({ code, when }) {
    const { maxPages } = state;
    const enough = Math.max(Number(byId('budget').defaultValue), maxPages + MORE_PAGES);
    const more = [`Start over with ${integer(enough)} pages`, () => { byId('budget').value = enough; changeBudget(); make(); }];
    if (when === 'frame') return ['A part of the picture is missing', 'It could not be read from the run, which goes on.', []];
    if (!OUT_OF_MEMORY.has(code)) return ['The run has stopped', 'What happened is said below.', [['Start over', make]]];
    if (when === 'start') {
        return ['The memory budget is too small', `The stack, the pools, the safe zones and 593 agents do not fit into ${pages(maxPages)}. Nothing was started.`, [more]];
    }
    const withdrawn = Number(byId('withdraw').value) > 0;
    const back = ['Give the memory back and go on', () => { whatIf.giveBack(); post('withdraw', { pages: 0 }); toggle(); }];
    return [
        'The memory budget is spent',
        `A table had to grow and the budget of ${pages(maxPages)}${withdrawn ? ', less what was withdrawn,' : ''} does not allow it. The call failed whole: every table is as it was before, and the run can go on where it stopped.`,
        withdrawn ? [back, more] : [more],
    ];
}

// ---------------------------------------------------------------- controls

function changeBudget() {
    const count = byId('budget').valueAsNumber;
    say(byId('budget-size'), Number.isFinite(count) ? bytes(count * PAGE_BYTES) : '–');
}

function find() {
    const wanted = byId('find').value.trim().toLowerCase();
    const found = CREW.find(({ name }) => name.toLowerCase() === wanted);
    byId('find').setCustomValidity(found || wanted === '' ? '' : 'No agent has this name');
    if (found) openAgent(found.index, false);
}

/** `?seed=7&pages=48&start` opens a run that somebody else has seen. */
function readAddress() {
    const query = new URLSearchParams(location.search);
    const number = (name, most) => {
        const text = query.get(name) ?? '';
        return /^\d+$/.test(text) && Number(text) <= most ? Number(text) : null;
    };
    byId('seed').value = number('seed', MAX_SEED) ?? byId('seed').value;
    byId('budget').value = number('pages', 4096) ?? byId('budget').value;
    changeBudget();
    return query.has('start');
}

function listen() {
    byId('run').addEventListener('click', toggle);
    byId('step').addEventListener('click', () => { hideFailure(); command('step'); refresh(); });
    byId('speed').addEventListener('change', ({ target }) => post('speed', { value: Number(target.value) }));
    byId('budget').addEventListener('input', changeBudget);
    byId('controls').addEventListener('submit', (event) => { event.preventDefault(); make(); });
    byId('measure').addEventListener('change', ({ target }) => { state.measure = target.value; refresh(); });
    byId('find').addEventListener('change', find);
    byId('agent').addEventListener('keydown', (event) => { if (event.key === 'Escape' && state.agent !== null) closeAgent(); });
}

byId('measure').append(...Object.entries(MEASURES).map(([value, { title }]) => element('option', { value, text: title })));
byId('agent-names').append(...CREW.map(({ name }) => element('option', { value: name })));
byId('map-legend').append(...MAP_LEGEND.map(([look, text]) => element('span', {}, [element('span', { class: look }), text])));
worker.onmessage = ({ data }) => (data.type === 'made' ? onMade(data) : onFrame(data));
worker.onerror = (event) => showFailure({ code: 'ERROR', message: event.message ?? 'the worker could not be started', when: 'start' });
let starting = readAddress();
listen();
make();
requestAnimationFrame(draw);
