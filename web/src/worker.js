/**
 * The simulation's own thread. The page asks for frames (`frames.js`) when it has drawn the last one, so a slow screen
 * slows no run and a slow run keeps no screen busy.
 *
 * Commands are numbered, and a frame says which was the last one heard: an answer to an older question is known as such.
 * Messages to it: make, start, pause, step, speed, withdraw, forbid, frame. From it: `frame`.
 */
import { Simulation } from './simulation.js';
import { Frames } from './frames.js';

const SLICE_MS = 12;                             // longest time without looking at messages
const WINDOW_MS = 1500;                          // over which rates are measured
const STEPS = 48;                                // of the batch over which its time is averaged

/** @type {Simulation | null} */
let simulation = null;
let frames = null;
let running = false;
let failure = null;
let decisionsPerSecond = 24;                     // of the network; Infinity: as fast as it can
let due = 0;
let command = 0;                                 // number of the last command that was heard
let making = 0;                                  // number of the last `make`
let question = null;                             // a request for a frame that waits for the next decision
const stepTimes = [];
const marks = [];                                // [time, decisions]

const turn = new MessageChannel();
turn.port1.onmessage = () => tick();
const soon = () => turn.port2.postMessage(0);

function timed(call) {
    const before = performance.now();
    call();
    stepTimes.push(performance.now() - before);
    if (stepTimes.length > STEPS) stepTimes.shift();
}

function fail(error, when) {
    running = false;
    failure = { code: error.code ?? error.name, message: error.message, when };
}

/** Decisions until the slice is over or none is due. */
function tick() {
    if (!running || !simulation) return;
    const until = performance.now() + SLICE_MS;
    let now;
    try {
        do {
            if (!simulation.evaluating) due += 1000 / decisionsPerSecond;
            simulation.advance(timed);
            now = performance.now();
        } while (now < until && (simulation.evaluating || due <= now));
    } catch (error) {
        fail(error, 'run');
        if (question) reply(question);
        return;
    }
    mark(now);
    if (question) reply(question);
    if (due < now - 250) due = now;              // it cannot keep up: no debt
    if (simulation.evaluating || due <= now) soon();
    else setTimeout(soon, due - now);
}

function mark(now) {
    marks.push([now, simulation.decisions]);
    while (marks.length > 2 && now - marks[0][0] > WINDOW_MS) marks.shift();
}

function rates() {
    const [first, last] = [marks[0], marks.at(-1)];
    const seconds = running && marks.length > 1 ? (last[0] - first[0]) / 1000 : 0;
    const mean = stepTimes.length > 0 ? stepTimes.reduce((sum, ms) => sum + ms, 0) / stepTimes.length : 0;
    return { networkDecisions: seconds > 0 ? (last[1] - first[1]) / seconds : 0, stepMs: mean };
}

let catalogue = null;

/** The features, fetched once; without them the run is the same. */
async function features() {
    catalogue ??= fetch(new URL('features.json', import.meta.url)).then((response) => (response.ok ? response.json() : undefined));
    return catalogue.catch(() => undefined);
}

const handlers = {
    async make({ seed, maxPages }) {
        const number = ++making;
        running = false;
        failure = null;
        stepTimes.length = marks.length = 0;
        simulation?.dispose();
        simulation = null;
        frames = null;
        try {
            const made = await Simulation.create({ seed, maxPages, features: await features() });
            if (number !== making) {
                made.dispose();
                return;
            }
            simulation = made;
            frames = new Frames(made);
        } catch (error) {
            if (number === making) fail(error, 'start');
        }
        postMessage({ type: 'made', failure });
    },
    start() {
        if (!simulation || running) return;
        failure = null;
        running = true;
        marks.length = 0;
        due = performance.now();
        soon();
    },
    pause() {
        running = false;
    },
    step() {
        if (!simulation || running) return;
        failure = null;
        try {
            simulation.step(timed);
        } catch (error) {
            fail(error, 'run');
        }
    },
    speed({ value }) {
        decisionsPerSecond = value;
        due = performance.now();
    },
    withdraw({ pages }) {
        simulation?.withdraw(pages);
    },
    forbid({ knob, forbidden }) {
        simulation?.forbid(knob, forbidden);
    },
    frame(request) {
        if (running && !request.now) question = request;
        else reply(request);
    },
};

function reply(request) {
    question = null;
    const base = { type: 'frame', command, running, failure, ...rates() };
    if (!frames) {
        postMessage(base);
        return;
    }
    try {
        const [frame, transfer] = frames.read(request);
        postMessage({ ...base, ...frame }, transfer);
    } catch (error) {
        postMessage({ ...base, failure: { code: error.code ?? error.name, message: error.message, when: 'frame' } });
    }
}

self.onmessage = ({ data }) => {
    command = data.command ?? command;
    handlers[data.type](data);
    if (question && !running) reply(question);
};
