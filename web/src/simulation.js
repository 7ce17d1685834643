/**
 * The run behind the page: the agents, the day they are trained on, and after each day the same unseen day again,
 * driven greedily by what has been learned so far. No DOM and no clock: the same seed and the same calls give the
 * same run in a worker and in Node.
 *
 * A seed chooses the agents' random numbers, the training days (all different, none of them ever an evaluation day)
 * and the evaluation day (the seed itself).
 */
import { createRuntime } from 'qhive';
import { agentConfigs } from '../../examples/ran/agents.js';
import { Crew } from '../../examples/ran/crew.js';
import { Guard, bound, puppets } from '../../examples/ran/guard.js';
import { Evaluation, TrainingDay } from '../../examples/ran/loop.js';
import { AGENTS } from '../../examples/ran/parameters.js';
import { loadFeatures } from './adapters.js';
import { OUT_OF_MEMORY, PAGE_BYTES } from './facts.js';
import { Watch } from './watch.js';

/** What this job needs: a state block for each agent, and neither replay nor messages. */
export const POOLS = Object.freeze({ state: 600, trajectory: 64, message: 32 });
export const MEASURES = Object.freeze(['reward', 'tdError', 'epsilon', 'visits', 'memory']);

const FIRST_TRAINING_DAY = 2 ** 40;
const DAYS_PER_SEED = 65536;
const RECENT = 0.05;                             // step size of the moving average of an agent's reward
const BASELINES = ['defaults', 'random'];

/** Seed of a day of training. @param {number} seed 0..2^32 - 1 @param {number} day 0.. */
export const trainingSeed = (seed, day) => FIRST_TRAINING_DAY + seed * DAYS_PER_SEED + day;

export class Simulation {
    /**
     * @param {{ seed: number, maxPages: number, features?: Iterable<import('qhive').Feature> }} options features: the catalogue to load
     * @throws {import('qhive').QhiveError} EXCEEDS_LIMIT when the agents do not fit `maxPages`
     */
    static async create({ seed, maxPages, features }) {
        const runtime = await createRuntime({ seed, maxPages, pools: POOLS, trackAllocations: true });
        const chance = await createRuntime({ seed, pools: { state: POOLS.state, trajectory: 0, message: 0 } });
        try {
            if (features) loadFeatures(runtime, features);
            return new Simulation(runtime, chance, seed);
        } catch (error) {
            runtime.dispose();
            chance.dispose();
            throw error;
        }
    }

    /**
     * @param {import('qhive').AgentRuntime} runtime @param {import('qhive').AgentRuntime} chance both without agents; the
     * second is for the safe zones of the network under random actions, until that has been measured
     * @param {number} seed
     */
    constructor(runtime, chance, seed) {
        this.runtime = runtime;
        this.chance = chance;
        this.seed = seed;
        this.guard = new Watch(runtime);
        this.agents = this.guard.agents = agentConfigs().map((config) => runtime.createAgent(bound(config)));
        this.batch = runtime.batch(this.agents);
        this.crew = new Crew();
        this.dayNumber = 0;                      // of the day being trained on
        this.decisions = 0;                      // training decisions of the network so far
        this.recentReward = new Float32Array(AGENTS);
        this.rows = new Float32Array(this.batch.observations.length);
        this.actions = new Int32Array(AGENTS);   // the last, of training
        this.ballast = [];
        this.nearest = new Map();                // features by the code of an agent's own
        this.evaluation = null;
        this.baselines = null;
        this.curve = { days: [], learned: [], tdError: [], epsilon: [] };
        this.hours = { learned: [] };
        this.tdTotal = { sum: 0, steps: 0 };
        this.openDay();
    }

    get network() { return this.day.network; }
    get environment() { return this.day.environment; }
    get evaluating() { return this.evaluation !== null; }

    /**
     * One decision of every agent: of training, or between two days of the evaluation. After an error for want of memory
     * the next call goes on where this one stopped.
     * @param {(call: () => void) => void} [timed] runs the batch's step and may measure it
     */
    advance(timed) {
        if (this.evaluation) {
            this.measure();
            return;
        }
        this.day.advance(timed);
        this.note();
        if (this.day.over) this.closeDay();
    }

    /** Up to the next decision of training. */
    step(timed) {
        const before = this.decisions;
        while (this.decisions === before) this.advance(timed);
    }

    /** What the decision just taken did. */
    note() {
        const { crew, recentReward, day } = this;
        this.decisions++;
        this.rows.set(this.batch.observations);
        this.actions.set(this.batch.actions);
        if (day.decision === 1) return;          // an episode has begun: nothing was moved yet
        for (let i = 0; i < AGENTS; i++) recentReward[i] += RECENT * (crew.paidOut[i] - recentReward[i]);
    }

    closeDay() {
        this.guard.rest();
        const guards = { learned: this.guard };
        if (!this.baselines) guards.random = this.openChance();
        this.evaluation = new Evaluation(this.batch, this.crew, this.seed, 1, this.baselines ? ['learned'] : undefined, guards);
        this.openHours();
    }

    openChance() {
        const guard = new Guard(this.chance);
        guard.agents = puppets().map((config) => this.chance.createAgent(config));
        return guard;
    }

    openHours() {
        this.rewardSums = Object.fromEntries(Object.keys(this.evaluation.networks).map((policy) => [policy, 0]));
        this.noteHour();
    }

    /** The mean reward of each network since the last decision. */
    noteHour() {
        for (const [policy, { kpis }] of Object.entries(this.evaluation.networks)) {
            if (this.evaluation.decision === 1) this.hours[policy] = [];
            this.hours[policy].push((kpis.rewardSum - this.rewardSums[policy]) / 2);
            this.rewardSums[policy] = kpis.rewardSum;
        }
    }

    measure() {
        this.evaluation.advance();
        this.noteHour();
        if (!this.evaluation.over) return;
        const summaries = this.evaluation.summaries();
        if (!this.baselines) {
            this.baselines = Object.fromEntries(BASELINES.map((policy) => [policy, summaries[policy]]));
            this.chance.dispose();
            this.addPoint(0, summaries.defaults.reward, NaN, NaN);   // untrained agents keep every level: the defaults
        }
        this.summary = summaries.learned;
        this.dayNumber++;
        this.addPoint(this.dayNumber, summaries.learned.reward, ...this.learningFigures());
        this.evaluation = null;
        this.openDay();
    }

    openDay() {
        this.guard.watch(this.dayNumber);
        this.day = new TrainingDay(this.batch, this.crew, trainingSeed(this.seed, this.dayNumber), this.guard);
    }

    addPoint(day, learned, tdError, epsilon) {
        this.curve.days.push(day);
        this.curve.learned.push(learned);
        this.curve.tdError.push(tdError);
        this.curve.epsilon.push(epsilon);
    }

    /** Mean |TD error| of the day's learning steps and mean epsilon, over all agents. */
    learningFigures() {
        let sum = 0;
        let steps = 0;
        let epsilon = 0;
        for (const { metrics } of this.agents) {
            sum += metrics.tdErrorMean * metrics.learningSteps;
            steps += metrics.learningSteps;
            epsilon += metrics.exploration / AGENTS;
        }
        const figures = [(sum - this.tdTotal.sum) / Math.max(1, steps - this.tdTotal.steps), epsilon];
        this.tdTotal = { sum, steps };
        return figures;
    }

    /** One value an agent. @param {string} measure one of `MEASURES` @returns {Float32Array} */
    values(measure) {
        if (measure === 'reward') return this.recentReward.slice();
        return Float32Array.from(this.agents, READ[measure]);
    }

    /** What if this knob may not be turned? Its agents may try, and learn that nothing comes of it. */
    forbid(knob, forbidden) {
        this.guard.forbid(knob, forbidden);
    }

    /** Bytes that are withdrawn. */
    get withdrawnBytes() {
        return this.ballast.reduce((sum, { bytes }) => sum + bytes, 0);
    }

    /**
     * What if another tenant took this many pages of the budget? Takes as much as there is; 0 gives everything back.
     * @param {number} pages
     */
    withdraw(pages) {
        for (const { batch } of this.ballast.splice(0)) batch.free();
        let left = pages * PAGE_BYTES;
        for (let count = AGENTS; count > 0;) {
            const bytes = left > 0 ? this.tryBallast(count) : 0;
            if (bytes > 0) left -= bytes;
            if (bytes === 0 || left < bytes) count >>= 1;
        }
    }

    /** Takes the memory of a batch that nobody uses. @returns {number} bytes, 0 when there is no room */
    tryBallast(agents) {
        const { memory } = this.runtime;
        const before = memory.liveBytes;
        try {
            const batch = this.runtime.batch(this.agents.slice(0, agents));
            const bytes = memory.liveBytes - before;
            this.ballast.push({ batch, bytes });
            return bytes;
        } catch (error) {
            if (OUT_OF_MEMORY.has(error.code)) return 0;
            throw error;
        }
    }

    dispose() {
        this.runtime.dispose();
        this.chance[Symbol.dispose]();
    }
}

const READ = {
    tdError: ({ metrics }) => metrics.tdErrorMean,
    epsilon: ({ metrics }) => metrics.exploration,
    visits: ({ metrics }) => metrics.learningSteps,
    memory: ({ memory }) => memory.liveBytes,
};
