/**
 * What to tell the caller of a call that failed: the core's code, and in words which value was at fault and what was expected.
 * Runs on the failure path only, so it may look at everything again.
 */
import { handleOf } from './agent.js';
import { describe } from './check.js';
import { QhiveError } from './errors.js';
import { observationProblem } from './observation.js';

/** @typedef {import('./core.js').Core} Core */
/** @typedef {import('./agent.js').Agent} Agent */

/**
 * @param {{ agent: Agent, core: Core, actions: number, method: string, code: any, given: Record<string, any> }} failure
 * @returns {QhiveError}
 */
export function explainFailure({ agent, core, actions, method, code, given }) {
    const where = `${method}() of agent '${agent.name}'`;
    switch (code) {
        case 'STALE_HANDLE':
            return new QhiveError(code, `${where}: the agent was freed`);
        case 'INVALID_ARGUMENT':
            return new QhiveError(code, `${where}: ${argumentProblem(agent.config.encoder, actions, given)}`);
        case 'INVALID_STATE':
            return new QhiveError(code, `${where}: no episode is running; call begin() first`);
        case 'BUSY':
            return new QhiveError(code, `${where}: ${busyReason(core, agent)}`);
        case 'CORRUPT':
            return new QhiveError(code, `${where}: the bytes are damaged, or come from an agent of another configuration`);
        case 'VERSION':
            return new QhiveError(code, `${where}: the bytes are of a format this version does not read`);
        default:
            return new QhiveError(code ?? 'INVALID_STATE', `${where}: ${resourceProblem(core, code, agent.config.quotaBytes)}`);
    }
}

/** Who has an agent that is BUSY. @param {Core} core @param {Agent} agent */
export const busyReason = (core, agent) => core.threads?.busyWith(handleOf(agent)) ?? 'the agent is in the middle of another call';

/** The first argument at fault. */
export function argumentProblem(encoder, actions, given) {
    const problems = [
        () => 'observation' in given && observationProblem(encoder, given.observation, 'observation'),
        () => 'action' in given && !isAction(given.action, actions) && `action must be an integer from 0 to ${actions - 1}, not ${describe(given.action)}`,
        () => 'reward' in given && !isReward(given.reward) && `reward must be a (float32) finite number, not ${describe(given.reward)}`,
        () => 'next' in given && observationProblem(encoder, given.next, 'next'),
        () => given.allowed?.every((word) => word === 0) && 'mask must allow at least one action',
    ];
    for (const find of problems) {
        const problem = find();
        if (problem) return problem;
    }
    return 'an argument is out of its range';
}

const isReward = (reward) => typeof reward === 'number' && Math.abs(reward) <= 3.4028234663852886e38;

const isAction = (action, actions) => Number.isInteger(action) && action >= 0 && action < actions;

/** What a failure to get memory means. @param {Core} core @param {string | undefined} code @param {number} [quotaBytes] */
export function resourceProblem(core, code, quotaBytes) {
    switch (code) {
        case 'QUOTA_EXCEEDED':
            return `the agent's quota of ${quotaBytes} bytes (quotaBytes) is spent`;
        case 'EXCEEDS_LIMIT':
            return `more memory is needed than the runtime's maxPages (${maxPagesOf(core)}) allow`;
        case 'GROWTH_FAILED':
            return 'the engine refused to grow the memory';
        case 'OVERFLOW':
            return 'more memory is needed than can be addressed';
        case 'BUSY':
            return core.threads?.busyRoom ?? 'it is in the middle of another call';
        case 'UNSUPPORTED':
            return 'this build of the module has no such room';
        default:
            return `failed (${code ?? 'unknown result'})`;
    }
}

function maxPagesOf(core) {
    return core.call('qh_memory_info') === 0 ? core.numbers[1] : 'unknown';
}
