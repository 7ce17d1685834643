/** The catalogue of RAN functions is well made, and its search finds what an engineer asks for. */
import { readFileSync } from 'node:fs';
import { ask, catalogue, halves, score } from '../../bench/knowledge/main.js';
import { FEATURES, KNOBS } from '../../examples/ran/parameters.js';

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const features = read('../../examples/ran/features.json');
const questions = read('questions.json');
const codes = new Set(features.map(({ code }) => code));

const CATEGORIES = [
    'Carrier Aggregation', 'Radio Resource Management', 'NR', 'Transport', 'MIMO and Antenna', 'Mobility', 'Energy Saving', 'Coverage and Capacity',
    'Voice', 'UE Handling', 'QoS', 'Interference', 'Timing', 'Security', 'SON',
];

describe('the catalogue', () => {
    test('has 593 entries with codes, names and descriptions of their own', () => {
        expect(features).toHaveLength(593);
        for (const field of ['code', 'name', 'description']) expect(new Set(features.map((feature) => feature[field])).size).toBe(593);
    });

    test('each entry has every field, and no other, in its form', () => {
        for (const feature of features) {
            expect(Object.keys(feature)).toEqual(['code', 'name', 'category', 'description', 'parameters', 'kpis', 'requires']);
            expect(feature.code).toMatch(/^\d{2}\.\d{3}(-\d)? \S/);
            expect(feature.code.length).toBeLessThanOrEqual(64);
            expect(feature.name.length).toBeGreaterThan(3);
            expect(feature.name.length).toBeLessThanOrEqual(72);
            expect(CATEGORIES).toContain(feature.category);
            expect(feature.description).toMatch(/^[A-Z4532][^]*\.$/);
            expect(feature.description.length).toBeGreaterThan(30);
            expect(feature.description.length).toBeLessThan(320);
            expect(feature.kpis.length).toBeGreaterThan(0);
            for (const list of ['parameters', 'kpis', 'requires']) {
                expect(new Set(feature[list]).size).toBe(feature[list].length);
                for (const item of feature[list]) expect(item).toMatch(/^\S[^]*\S$/);
            }
        }
    });

    test('every category has its part', () => {
        for (const category of CATEGORIES) expect(features.filter((feature) => feature.category === category).length).toBeGreaterThanOrEqual(25);
    });

    test('ranges rise', () => {
        for (const { code, parameters } of features)
            for (const parameter of parameters)
                for (const [, low, high] of parameter.matchAll(/(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)/g)) expect([code, parameter, Number(low) < Number(high)]).toEqual([code, parameter, true]);
    });

    test('prerequisites are entries and form no cycle', async () => {
        for (const { requires } of features) for (const code of requires) expect(codes).toContain(code);
        const { knowledge } = await catalogue();
        const order = knowledge.activationOrder([...codes]);
        expect(order).toHaveLength(593);
        const place = new Map(order.map((code, i) => [code, i]));
        for (const { code, requires } of features) for (const needed of requires) expect(place.get(needed)).toBeLessThan(place.get(code));
    });

    test('every knob of the main job is tied to an entry', () => {
        expect(Object.keys(FEATURES).sort()).toEqual(KNOBS.map(({ name }) => name).sort());
        for (const code of Object.values(FEATURES)) expect(codes).toContain(code);
    });
});

describe('questions', () => {
    test('are 120, each with one to six entries that answer it', () => {
        expect(questions).toHaveLength(120);
        expect(new Set(questions.map(({ question }) => question)).size).toBe(120);
        for (const { answers } of questions) {
            expect(answers.length).toBeGreaterThan(0);
            expect(answers.length).toBeLessThanOrEqual(6);
            for (const code of answers) expect(codes).toContain(code);
        }
    });

    test('are answered: MRR@10 of the fused search is at least .75 on the half that was held out', async () => {
        const { knowledge } = await catalogue();
        const { 'held out': heldOut } = halves();
        expect(heldOut).toHaveLength(60);
        expect(score(ask(knowledge, heldOut, 'fused')).mrr).toBeGreaterThanOrEqual(0.75);
    });
});
