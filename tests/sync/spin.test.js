/** The locks in Promela: every state of three or four processes keeps what is asserted, and each mistake put into the model is found. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { available, explore, HOLDS, MISTAKES } from './spin.mjs';

const folder = mkdtempSync(join(tmpdir(), 'qhive-spin-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const named = (list) => list.map((each) => [`${each.model}: ${each.name}`, each]);

(available ? describe : describe.skip)('Spin', () => {
    test.each(named(HOLDS.filter(({ long }) => !long)))('%s', (name, model) => {
        const { errors, states, all } = explore(model, folder);
        expect({ errors, all }).toEqual({ errors: 0, all: true });
        expect(states).toBeGreaterThan(10_000);
    });

    test.each(named(MISTAKES))('%s', (name, model) => {
        expect(explore(model, folder).errors).toBe(1);
    });
});
