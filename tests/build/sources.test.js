/** The lists that are typed once are complete: C files, package entries, versions. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';

const read = (path) => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(read('package.json'));

test('cmake/sources.cmake names every C file of src/ once', () => {
    const listed = [...read('cmake/sources.cmake').matchAll(/^\s*(src\/\S+\.c)\s*$/gm)].map(([, path]) => path);
    const present = readdirSync(join(root, 'src'), { recursive: true }).filter((path) => path.endsWith('.c'));
    expect(listed.sort()).toEqual(present.map((path) => `src/${path.replaceAll('\\', '/')}`).sort());
});

test('the package depends on nothing, and its tools have exact versions', () => {
    expect(manifest.dependencies).toBeUndefined();
    for (const version of Object.values(manifest.devDependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+[\w.-]*$/);
});

test('the lock file pins contents, not places', () => {
    const { packages } = JSON.parse(read('package-lock.json'));
    for (const [name, entry] of Object.entries(packages)) {
        expect(entry.resolved).toBeUndefined();
        if (name !== '') expect(entry.integrity).toMatch(/^sha512-/);
    }
});

test('the lock file holds the packages of every platform', () => {
    const { packages } = JSON.parse(read('package-lock.json'));
    const found = (from, name) => {
        for (let at = from; ; at = at.slice(0, at.lastIndexOf('/node_modules/'))) {
            if (packages[`${at}/node_modules/${name}`]) return true;
            if (!at.includes('/node_modules/')) return packages[`node_modules/${name}`] !== undefined;
        }
    };
    const missing = Object.entries(packages).flatMap(([from, { dependencies, optionalDependencies }]) =>
        Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !found(from, name)),
    );
    expect(missing).toEqual([]);
});

/** Every [conditions, path] of an exports tree, in order. */
function* leaves(node, conditions = []) {
    if (typeof node === 'string') yield [conditions, node];
    else for (const [key, child] of Object.entries(node)) yield* leaves(child, [...conditions, key]);
}

test('types come first in each branch of the package exports, default last', () => {
    const visit = (node) => {
        if (typeof node === 'string') return;
        const keys = Object.keys(node);
        if (keys.includes('types')) expect(keys[0]).toBe('types');
        if (keys.includes('default')) expect(keys.at(-1)).toBe('default');
        Object.values(node).forEach(visit);
    };
    Object.values(manifest.exports).forEach(visit);
});

test('every file the package names exists after the build', () => {
    const { main, module, types, unpkg, jsdelivr } = manifest;
    const named = [main, module, types, unpkg, jsdelivr, ...[...leaves(manifest.exports)].map(([, path]) => path)];
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('every suite of C tests is run', () => {
    const listed = read('tests/c/test.h');
    const suites = readdirSync(join(root, 'tests/c'))
        .filter((name) => name.endsWith('.c'))
        .flatMap((name) => [...read(`tests/c/${name}`).matchAll(/^TEST_SUITE\((\w+),/gm)].map(([, suite]) => suite));
    expect(suites.length).toBeGreaterThan(20);
    for (const suite of suites) expect(listed).toContain(`X(${suite})`);
});
