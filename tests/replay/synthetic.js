/**
 * A folder of small logs with the files, headers and habits of the real ones, and a known best action.
 *
 * Winter and spring runs: the rate of eMBB's UEs is 2 Mbit/s, plus 2 with slicing 3, plus 1 with eMBB's
 * scheduler 2; MTC gets 20 packets, plus 30 with slicing 3 and plus 10 with its scheduler 1; URLLC buffers 0
 * bytes with scheduler 0 and 2000 otherwise. So the best joint action is slicing 3, schedulers (2, 1, 0),
 * and the logged reward is the published formula of the KPIs AFTER the action, in the NEXT row. The two TRACTOR
 * streams carry 4 Mbit/s and nothing in turns of 50 s.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

export const BEST_ACTION = 3 * 27 + 2 * 9 + 1 * 3 + 0;

/** @returns {() => number} uniform in 0..1, seeded (mulberry32) */
export function uniformOf(seed) {
    let a = seed >>> 0;
    return () => {
        a = (a + 0x6d2b79f5) >>> 0;
        let t = Math.imul(a ^ (a >>> 15), a | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
}

/** KPIs of the three slices after an action: buffer bytes, Mbit/s, ratio, PRB, packets. */
export function consequence(action) {
    const slicing = Math.trunc(action / 27);
    const [s0, s1, s2] = [Math.trunc(action / 9) % 3, Math.trunc(action / 3) % 3, action % 3];
    return [
        [0, 2 + (slicing === 3 ? 2 : 0) + (s0 === 2 ? 1 : 0), 1, 24, 100],
        [0, 0.1, 1, 21, 20 + (slicing === 3 ? 30 : 0) + (s1 === 1 ? 10 : 0)],
        [s2 === 0 ? 0 : 2000, 0.2, 1, 6, 40],
    ];
}

/** The published formula of the winter and spring runs. */
export function rewardOf(kpis) {
    return 0.07204403 * kpis[0][1] + 0.00229358 * kpis[1][4] - 4.96e-5 * kpis[2][0];
}

const HEADERS = {
    agents: 'agent,source,run_or_stream,slice,k,rows',
    runs: 'run,agent_traffic,strategy,reports,decisions,source_file',
    slicings: 'slicing,rbg0,rbg1,rbg2',
    decisions: 'run,t_ms,n0,buf0,brate0,ratio0,prb0,pkts0,n1,buf1,brate1,ratio1,prb1,pkts1,n2,buf2,brate2,ratio2,prb2,pkts2,rbg0,rbg1,rbg2,sched0,sched1,sched2,reward,action',
    reports: 'run,t_ms,slice,k,dl_buffer_bytes,tx_brate_dl_mbps,ratio_granted_req,slice_prb,tx_pkts_dl,sched',
    tractor: 'stream,t_ms,num_ues,slicing,slice,slice_prb,sched,dl_mcs,dl_buf,tx_mbps,tx_pkts,tx_err,dl_cqi,ul_mcs,ul_buf,rx_mbps,rx_err,ul_sinr,phr,req_prbs,gr_prbs',
};

/** One run's report and decision lines: a report a second, a decision every third, half a second later. */
function runLines(run, decisions, random) {
    const lines = { reports: [], decisions: [], rows: 0, actions: [] };
    let action = Math.trunc(random() * 297);
    let kpis = consequence(action);
    for (let i = 0; i < decisions; i++) {
        for (let second = 0; second < 3; second++) {
            const t = 3000 * i + 1000 * second;
            kpis.forEach((k, slice) => [0, 1].forEach((ue) => lines.reports.push([run, t, slice, ue, ...k, 0].join(','))));
            lines.rows++;
        }
        const state = kpis.flatMap((k) => [2, ...k]);
        const logged = i === 0 || i % 10 === 0 ? '' : rewardOf(kpis) * (run.startsWith('main') ? 1e5 : 1);
        action = random() < 0.3 ? BEST_ACTION : Math.trunc(random() * 297);
        const schedulers = [Math.trunc(action / 9) % 3, Math.trunc(action / 3) % 3, action % 3];
        lines.decisions.push([run, 3000 * i + 2500, ...state, 6, 6, 5, ...schedulers, logged, action].join(','));
        lines.actions.push(action);
        kpis = consequence(action);
    }
    return lines;
}

/**
 * Writes the logs.
 *
 * @param {object} [options]
 * @returns {{ folder: string, runs: string[], actions: Record<string, number[]>, remove: () => void }}
 */
export function writeSyntheticLogs({ seed = 1, runs = ['main-e01', 'winter-e01', 'winter-e02', 'spring-e01', 'spring-e02'], decisions = 300, change = {} } = {}) {
    const random = uniformOf(seed);
    const folder = mkdtempSync(join(tmpdir(), 'qhive-replay-'));
    const lines = { agents: [], runs: [], slicings: [], decisions: [], reports: [], tractor: [] };
    const actions = {};
    for (const run of runs) {
        const own = runLines(run, decisions, random);
        lines.reports.push(...own.reports);
        lines.decisions.push(...own.decisions);
        lines.runs.push(`${run},embb-trf1,baseline,${own.rows},${decisions},${run}.log`);
        for (let slice = 0; slice < 3; slice++) for (let k = 0; k < 2; k++) lines.agents.push([lines.agents.length, 'explora', run, slice, k, own.rows].join(','));
        actions[run] = own.actions;
    }
    for (let s = 0; s < 11; s++) lines.slicings.push(`${s},6,6,5`);
    for (let stream = 0; stream < 2; stream++) {
        const length = 800 + 200 * stream;
        lines.agents.push([lines.agents.length, 'tractor', stream, '', '', length].join(','));
        for (let t = 0; t < length; t++) {
            const carried = Math.trunc(t / 50) % 2 === 0 ? 4 : 0;
            lines.tractor.push([stream, 1000 * t, 1, 0, 0, 0, 0, 10, 100 * carried, carried, 10, 0, 9, 11, 0, 0.5, 0, 35, 31, 7, 12].join(','));
        }
    }
    const names = { agents: 'agents593.csv', runs: 'explora_runs.csv', slicings: 'explora_slicings.csv', decisions: 'explora_decisions.csv.gz', reports: 'explora_reports.csv.gz', tractor: 'tractor_kpis.csv.gz' };
    for (const [key, name] of Object.entries(names)) {
        let text = `${[HEADERS[key], ...lines[key]].join('\n')}\n`;
        if (change[name] === null) continue;
        if (typeof change[name] === 'function') text = change[name](text);
        writeFileSync(join(folder, name), name.endsWith('.gz') && typeof text === 'string' ? gzipSync(text) : text);
    }
    return { folder, runs, actions, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
