/**
 * An agent whose actions move a parameter: its choices depend on the time, so the calls that choose must be told.
 */
import { Agent, handleOf } from './agent.js';
import { object } from './check.js';
import { applyAction, readTime } from './safe-zones.js';

/** @typedef {import('../types/qhive.js').Observation} Observation */

export class BoundAgent extends Agent {
    #zones;

    /**
     * @param {ConstructorParameters<typeof Agent>} args
     * @param {import('./safe-zones.js').SafeZones} zones
     */
    constructor(args, zones) {
        super(...args);
        this.#zones = zones;
    }

    /** @override */
    begin(observation, options) {
        if (options !== undefined) this.#needTime('options', options);
        return super.begin(observation, options);
    }

    /** @override */
    step(reward, observation, ending) {
        this.#needTime('ending', ending);
        return super.step(reward, observation, ending);
    }

    /** @override */
    act(observation, options) {
        this.#needTime('options', options);
        return super.act(observation, options);
    }

    /** @override */
    apply(action, time) {
        void this.memory; // throws when runtime or agent are gone
        return applyAction(this.#zones, this, action, this.config.actions, time);
    }

    /** A freed agent says so itself. */
    #needTime(name, given) {
        if (handleOf(this) !== 0) readTime(`${name}.time`, given === undefined ? undefined : object(name, given).time);
    }
}
