/**
 * The network's safe zones, watched: what became of each agent's changes, and parameters that the viewer forbids.
 */
import { ACTIONS } from '../../examples/ran/agents.js';
import { Guard } from '../../examples/ran/guard.js';
import { AGENTS, CREW } from './facts.js';

/** Changes of an agent that are remembered. */
const KEPT = 12;
const HOUR = 3_600_000;

export class Watch extends Guard {
    /** @param {import('qhive').AgentRuntime} runtime without agents */
    constructor(runtime) {
        super(runtime);
        this.day = null;
        this.held = new Uint8Array(AGENTS);
        /** @type {{ day: number, hour: number, from: number, to: number, status: string, reason: string }[][]} newest first */
        this.changes = Array.from({ length: AGENTS }, () => []);
        this.indexOf = new Map(CREW.map(({ name, index }) => [name, index]));
    }

    /** Remembers what happens on this day of training. */
    watch(day) {
        this.day = day;
    }

    /** Remembers nothing until the next day. */
    rest() {
        this.day = null;
    }

    /** @param {string} knob @param {boolean} forbidden */
    forbid(knob, forbidden) {
        for (const agent of CREW) if (agent.knob.name === knob) this.held[agent.index] = forbidden ? 1 : 0;
    }

    note(index, from, to, status, reason) {
        if (this.day === null) return;
        this.changes[index].unshift({ day: this.day, hour: this.time / HOUR, from, to, status, reason });
        if (this.changes[index].length > KEPT) this.changes[index].pop();
    }

    move(agent, action, levels, unit) {
        const index = this.indexOf.get(agent.name);
        const from = levels[unit];
        const to = from + ACTIONS[action];
        if (this.held[index]) {
            this.note(index, from, to, 'rejected', 'forbidden by you');
            return 0;
        }
        const before = this.log.denied.length;
        const moved = super.move(agent, action, levels, unit);
        const reason = this.log.denied[before]?.reason ?? '';
        this.note(index, from, to, moved === 0 ? 'rejected' : 'applied', moved === 0 ? reason : '');
        this.log.denied.length = 0;
        return moved;
    }

    read(kpi, value, levels) {
        super.read(kpi, value, levels);
        for (const { parameter, from, to, reason } of this.log.undone.splice(0)) {
            this.note(this.indexOf.get(parameter), to, from, 'rolled-back', reason);
        }
    }
}
