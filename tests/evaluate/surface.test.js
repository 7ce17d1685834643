import { readFileSync } from 'node:fs';
import * as evaluate from '../../js/src/evaluate/index.js';

const types = readFileSync(new URL('../../js/types/evaluate.d.ts', import.meta.url), 'utf8');

test('what the module exports is what its types declare', () => {
    const declared = [...types.matchAll(/^export (?:class|function|const) (\w+)/gm)].map((m) => m[1]).sort();
    expect(Object.keys(evaluate).sort()).toEqual(declared);
});

test('every exported function and interface is documented', () => {
    const undocumented = [...types.matchAll(/(\*\/\n)?^export (?:class|function|interface|type) (\w+)/gm)].filter((m) => !m[1]).map((m) => m[2]);
    expect(undocumented).toEqual([]);
});
