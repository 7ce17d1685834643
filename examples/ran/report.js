/**
 * The report: figures for machines (JSON) and for people (text).
 */

/** KPI names in the order of the table, with title, digits and which way is better. */
export const ROWS = Object.freeze([
  ['reward', 'reward per period', 3, 'more'],
  ['edgeRateMbps', 'edge rate, 5th percentile, Mbit/s', 2, 'more'],
  ['meanRateMbps', 'mean rate, Mbit/s', 2, 'more'],
  ['uplinkRateMbps', 'uplink rate, Mbit/s', 3, 'more'],
  ['priorityServed', 'priority traffic served', 4, 'more'],
  ['dropRate', 'drops per session-minute', 3, 'less'],
  ['blockRate', 'refused sessions', 4, 'less'],
  ['pingPongRate', 'ping-pongs per handover', 3, 'less'],
  ['handoverRate', 'handovers per session-minute', 2, 'less'],
  ['energyKwh', 'energy, kWh per day', 1, 'less'],
]);
export const POLICIES = Object.freeze(['defaults', 'random', 'learned']);

/** Mean, sample standard deviation and range. @param {number[]} values at least one */
export function spread(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0, min: Math.min(...values), max: Math.max(...values) };
}

/** Value below which a share of `values` lies (nearest rank). */
export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

/**
 * KPIs of each policy over the seeds, and how often the learned policies won.
 * @param {{ seed: number, defaults: object, random: object, learned: object }[]} perSeed
 */
export function compare(perSeed) {
  const kpis = {};
  for (const policy of POLICIES) {
    kpis[policy] = Object.fromEntries(ROWS.map(([name]) => [name, spread(perSeed.map((run) => run[policy][name]))]));
  }
  const wins = (policy) => perSeed.filter((run) => run.learned.reward > run[policy].reward).length;
  const gain = (policy) => spread(perSeed.map((run) => run.learned.reward - run[policy].reward));
  return {
    kpis,
    wins: { vsDefaults: wins('defaults'), vsRandom: wins('random'), of: perSeed.length },
    gain: { vsDefaults: gain('defaults'), vsRandom: gain('random') },
  };
}

/** Latency of batch calls. @param {number[]} milliseconds of one call each @param {number} agents */
export function latency(milliseconds, agents) {
  const at = (share) => milliseconds.length ? percentile(milliseconds, share) * 1000 : 0;
  return {
    calls: milliseconds.length,
    batchMedianUs: at(0.5),
    batchP99Us: at(0.99),
    agentMedianNs: at(0.5) * 1000 / agents,
    agentP99Ns: at(0.99) * 1000 / agents,
  };
}

/** Memory of a runtime and what its agents hold. @param {import('qhive').AgentRuntime} runtime */
export function memory(runtime) {
  const { memory: info, agents } = runtime;
  const owned = [...agents].map((agent) => agent.memory.liveBytes);
  return {
    pages: info.pages,
    maxPages: info.maxPages,
    liveBytes: info.liveBytes,
    peakLiveBytes: info.peakLiveBytes,
    owners: info.owners().length,
    perAgentBytes: spread(owned),
    perCategory: Object.fromEntries([...byCategory(agents)].map(([category, group]) => [category, {
      agents: group.length,
      bytes: spread(group.map(({ liveBytes }) => liveBytes)),
      tableBytes: spread(group.map(({ tableBytes }) => tableBytes)),
      peakBytes: Math.max(...group.map(({ peakBytes }) => peakBytes)),
    }])),
    pools: info.pools(),
  };
}

/** The memory of agents by their category. @param {Iterable<import('qhive').Agent>} agents */
function byCategory(agents) {
  const groups = new Map();
  for (const { config, memory: held } of agents) {
    const category = config.category ?? 'other';
    groups.set(category, [...(groups.get(category) ?? []), held]);
  }
  return groups;
}

const EXAMPLES = 3;

/**
 * What the safe zones let through, refused and took back.
 * @param {{ training: object, perSeed: { seed: number, random: object, learned: object }[] }} logs of `guard.js`
 */
export function safety({ training, perSeed }) {
  const counts = ({ applied, refused, rolledBack }) => ({ applied, refused, rolledBack });
  const sum = (policy, count) => perSeed.reduce((all, run) => all + run[policy][count], 0);
  const total = (policy) => ({
    applied: sum(policy, 'applied'), refused: sum(policy, 'refused'), rolledBack: sum(policy, 'rolledBack'),
  });
  const first = (policy, list) => perSeed
    .flatMap((run) => run[policy][list].map((change) => ({ seed: run.seed, ...change }))).slice(0, EXAMPLES);
  return {
    training: counts(training), random: total('random'), learned: total('learned'),
    rolledBack: { learned: first('learned', 'undone'), random: first('random', 'undone') }, refused: first('random', 'denied'),
  };
}

const clock = (ms) => `${String(Math.floor(ms / 3.6e6) % 24).padStart(2, '0')}:${String(Math.floor(ms / 6e4) % 60).padStart(2, '0')}`;

/** Lines about the safe zones. */
function safetyLines({ training, random, learned, rolledBack, refused }) {
  const line = (who, { applied, refused: denied, rolledBack: back }) =>
    `  ${who.padEnd(9)}${String(applied).padStart(8)} changes applied, ${String(denied).padStart(6)} refused, ${String(back).padStart(5)} rolled back`;
  const example = ({ seed, time, parameter, from, to, reason }, arrow) =>
    `           seed ${seed}, ${clock(time)}: ${parameter}, level ${from} ${arrow} ${to} (${reason})`;
  return [
    '  safe zones, of all networks that were changed (the agents are masked: what would be refused they never choose)',
    line('training', training), line('learned', learned), line('random', random),
    '  rolled back, for example',
    ...[...rolledBack.learned, ...rolledBack.random.slice(rolledBack.learned.length)].map((change) => example(change, '<-')),
    '  refused, for example',
    ...refused.map((change) => example(change, '->')),
  ];
}

const mark = (on, text) => (on ? `\u001b[1m${text}\u001b[0m` : text);

/**
 * The report for people.
 * @param {object} report as `main.js` prints it @param {boolean} colour
 */
export function render(report, colour) {
  const { kpis, perSeed, wins, gain, latency: times, memory: space } = report;
  const bytes = (n) => (n < 2 ** 20 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 2 ** 20).toFixed(2)} MiB`);
  const cell = ({ mean, sd }, digits) => `${mean.toFixed(digits)} ± ${sd.toFixed(digits)}`;
  const lines = ['', mark(colour, `${report.agents} agents, ${perSeed.length} unseen seeds (mean ± standard deviation over seeds)`), ''];
  lines.push(`  ${''.padEnd(36)}${POLICIES.map((policy) => policy.padStart(18)).join('')}`);
  for (const [name, title, digits] of ROWS) {
    const row = `  ${title.padEnd(36)}${POLICIES.map((policy) => cell(kpis[policy][name], digits).padStart(18)).join('')}`;
    lines.push(name === 'reward' ? mark(colour, row) : row);
  }
  lines.push('', `  ${'seed'.padStart(10)}${POLICIES.map((policy) => policy.padStart(11)).join('')}   learned less defaults`);
  for (const run of perSeed) {
    const difference = run.learned.reward - run.defaults.reward;
    lines.push(`  ${String(run.seed).padStart(10)}${POLICIES.map((policy) => run[policy].reward.toFixed(3).padStart(11)).join('')}   ${difference >= 0 ? '+' : ''}${difference.toFixed(3)}`);
  }
  lines.push('', mark(colour, `  learned beats the defaults on ${wins.vsDefaults} of ${wins.of} seeds (${signed(gain.vsDefaults.mean)} ± ${gain.vsDefaults.sd.toFixed(3)}), random on ${wins.vsRandom} of ${wins.of} (${signed(gain.vsRandom.mean)})`));
  lines.push('', ...safetyLines(report.safety));
  if (report.train.threads) lines.push('', `  threads  ${report.train.threads} trained, each with agents of its own; merged ${report.train.merges} times, once in a simulated minute`);
  lines.push('', `  decide   ${times.act.batchMedianUs.toFixed(0)} us median, ${times.act.batchP99Us.toFixed(0)} us p99 for all agents; ${times.act.agentMedianNs.toFixed(0)} ns per agent`);
  if (times.step.calls > 0) lines.push(`  learn    ${times.step.batchMedianUs.toFixed(0)} us median, ${times.step.batchP99Us.toFixed(0)} us p99 for all agents (learn and decide); ${times.step.agentMedianNs.toFixed(0)} ns per agent`);
  lines.push(`  memory   ${space.pages} pages, ${bytes(space.liveBytes)} live, ${bytes(space.perAgentBytes.mean)} per agent (most ${bytes(space.perAgentBytes.max)})`);
  const width = Math.max(...Object.keys(space.perCategory).map((category) => category.length));
  for (const [category, { agents, bytes: held, tableBytes }] of Object.entries(space.perCategory))
    lines.push(`           ${category.padEnd(width)} ${String(agents).padStart(4)} agents ${bytes(held.mean).padStart(9)} each (most ${bytes(held.max)}), of which tables ${bytes(tableBytes.mean)}`);
  const { features, agents, bytes: catalogue } = report.knowledge;
  lines.push(`  knows    ${features} RAN functions, ${agents} agents tied to them, ${bytes(catalogue)} once for all`);
  lines.push(`  states   ${report.states} visited in all tables`);
  lines.push(`  time     ${report.wallSeconds.toFixed(1)} s (training ${report.train.seconds.toFixed(1)} s on ${report.train.seeds} seeds)`, '');
  return lines.join('\n');
}

const signed = (value) => `${value >= 0 ? '+' : ''}${value.toFixed(3)}`;
