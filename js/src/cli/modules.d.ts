/** What js/commands.mjs puts in the place of these imports: parts of the house that have no types of their own. */
declare module 'qhive:job' {
    export const runJob: (job: any, tools: { progress: any; now: () => number }) => Promise<any>;
    export const readScenario: (value: unknown, instead?: object) => any;
    export const parseSeeds: (text: string) => number[];
    export const render: (report: object, colour: boolean) => string;
    export const DEFAULT_SCENARIO: object;
    export const MAX_SEED: number;
    export class ScenarioError extends Error {}
    export class UsageError extends Error {}
}
declare module 'qhive:progress' {
    export const progress: (title: string, total: number) => { step(): void; stop(): void };
}
declare module 'qhive:replay' {
    export const replay: (folder: string, options: object) => Promise<any>;
    export const render: (report: object) => string;
    export class NoLogsError extends Error {}
}
declare module 'qhive:bench' {
    export const interleave: (contenders: object, options: { rounds: number; prepare?: unknown }) => Record<string, number[]>;
    export const comparison: (id: string, what: string, against: string, samples: object) => any;
    export const table: (figures: object[]) => string;
    export const fill: <A>(agent: A, states: Float32Array[]) => A;
    export const fillCrew: <A>(agents: A[], frames: object[]) => A[];
    export const createRuntime: () => import('../../types/qhive.js').AgentRuntime;
    export const createTransitions: () => any;
    export const createFrames: () => any[];
    export const createCrew: (runtime: object, frames: object[]) => { batches: object[] };
    export const agentConfig: () => import('../../types/qhive.js').AgentConfig;
    export const baselineOptions: (seed?: number) => object;
    export const AGENTS: number;
    export const SEED: number;
}
declare module 'qhive:server' {
    export const servePage: (options: { folder: string; port: number; host: string }) => Promise<import('node:http').Server>;
    export const addressOf: (server: import('node:http').Server) => string;
}
