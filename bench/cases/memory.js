/**
 * The memory of a table of 4096 states x 16 actions, all visited: against the bare floats and counts, 8 bytes an action. What counts is
 * how much more of the runtime's memory is live than before the agent was made, so that nothing it needs is left out, not even what it
 * would share with other agents of the same encoder. And of an agent that has learned nothing.
 */
import { plain } from '../figures.js';
import { agentConfig, createRuntime, createTransitions, fill, SHAPE } from '../workload.js';

const KIB = 1024;

function run({ runtime: options }) {
    const runtime = createRuntime(options);
    const before = runtime.memory.liveBytes;
    const agent = runtime.createAgent(agentConfig());
    const empty = runtime.memory.liveBytes - before;
    fill(agent, createTransitions().states);
    const liveBytes = runtime.memory.liveBytes - before;
    const { tableBytes } = agent.memory;
    const { states } = agent.metrics;
    runtime.dispose();
    if (states !== SHAPE.states) throw new Error(`${states} states were visited, not ${SHAPE.states}`);
    const bare = SHAPE.states * SHAPE.actions * 8;
    return [
        plain('memory/table', 'whole agent / bare floats and counts', liveBytes / bare, 'x', { bytes: { live: liveBytes, table: tableBytes, bare } }),
        plain('memory/agent', 'whole agent, 4096 x 16', liveBytes / KIB, 'KiB'),
        plain('memory/empty', 'whole agent, nothing learned', empty / KIB, 'KiB'),
    ];
}

export const cases = [{ name: 'memory', about: 'a table of 4096 x 16', run }];
