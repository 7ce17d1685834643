/**
 * Features near an agent, its safe zone and its changes, as far as the run has them, in the shape the page shows.
 */
import { ACTIONS } from '../../examples/ran/agents.js';
import { OUT_OF_MEMORY } from './facts.js';

const NEAREST = 5;

/** The knowledge of features, or null in a version without. */
function knowledgeOf(runtime) {
    try {
        return runtime.knowledge;
    } catch (error) {
        if (error.code === 'UNSUPPORTED') return null;
        throw error;
    }
}

/** Loads and freezes the catalogue. */
export function loadFeatures(runtime, features) {
    const knowledge = knowledgeOf(runtime);
    knowledge?.load(features);
    knowledge?.freeze();
}

/**
 * The features nearest to an agent's own, looked up once: the catalogue does not change.
 * @returns {{ code: string, name: string, category: string, score: number }[] | 'none' | 'no memory'} 'none': no knowledge is loaded
 */
export function featuresOf({ runtime, agents, nearest }, index) {
    const knowledge = knowledgeOf(runtime);
    const { feature } = agents[index].config;
    if (!knowledge?.size) return 'none';
    if (!nearest.has(feature)) {
        try {
            nearest.set(feature, knowledge.nearest(feature, NEAREST));
        } catch (error) {
            if (!OUT_OF_MEMORY.has(error.code)) throw error;
            return 'no memory';
        }
    }
    return nearest.get(feature);
}

/** Why an agent would act as it would, or null where there is not even the memory to ask. */
export function reasonsOf({ agents, guard: { time } }, index, observation) {
    try {
        const { action, qValues, visits, probability } = agents[index].explain(observation, 0, { time });
        return { action, qValues, visits, probability };
    } catch (error) {
        if (!OUT_OF_MEMORY.has(error.code)) throw error;
        return null;
    }
}

/** What its safe zone lets it do now. @returns {{ parameter: string, value: number, allowed: boolean[] }} one flag an action */
export function zoneOf({ guard: { zones, time }, agents }, index) {
    const { parameter } = agents[index].config.actuator;
    const value = zones.value(parameter);
    return { parameter, value, allowed: ACTIONS.map((step) => step === 0 || zones.allowed(parameter, value + step, time)) };
}

/** The last changes of its parameter and what became of them, newest first. */
export const changesOf = ({ guard }, index) => guard.changes[index];
