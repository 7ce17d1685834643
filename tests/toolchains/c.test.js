/** The installed C library: what is installed, and C and C++ programs outside of the tree that are built with it. */
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { of } from '../docs/pages.js';
import { attempt, CLIFF, CLIFF_TABLE, COMMAND_STATES, COMMAND_TABLES, findProgram, root, run, scratch } from './support.js';

const cc = findProgram('cc', 'gcc', 'clang');
const cxx = findProgram('c++', 'g++', 'clang++');
const pkgConfig = findProgram('pkg-config', 'pkgconf');
const prefix = join(scratch, 'prefix');
const examples = join(scratch, 'examples');
/** Where the system wants libraries: lib, lib64. */
const libdir = () => /^CMAKE_INSTALL_LIBDIR:\w+=(.*)$/m.exec(readFileSync(join(root, 'build/native/CMakeCache.txt'), 'utf8'))[1];
const headers = readdirSync(join(root, 'include', 'qhive')).filter((name) => name.endsWith('.h'));
const STRICT = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', '-Wconversion', '-Wsign-conversion'];
const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
const compilerOrSkip = cc ? describe : describe.skip;
const cxxOrSkip = cc && cxx ? describe : describe.skip;

beforeAll(() => {
    rmSync(prefix, { recursive: true, force: true });
    if (cc) run('cmake', ['--install', 'build/native', '--prefix', prefix]);
});

const link = [`-I${join(prefix, 'include')}`, '-o'];
const library = () => [join(prefix, libdir(), 'libqhive.a'), '-lm'];

compilerOrSkip('installed', () => {
    test('headers, library, CMake package and pkg-config file, and nothing else', () => {
        const files = readdirSync(prefix, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
        const expected = [
            'libqhive.a', 'qhive-config-version.cmake', 'qhive-config.cmake', 'qhive-targets-release.cmake', 'qhive-targets.cmake', 'qhive.pc',
            ...headers,
        ];
        expect(files.map(({ name }) => name).sort()).toEqual(expected.sort());
    });

    test('no file knows where it was built', () => {
        for (const name of readdirSync(prefix, { recursive: true }).filter((path) => /\.(cmake|pc|h|a)$/.test(path)))
            expect(readFileSync(join(prefix, name), 'latin1').includes(root)).toBe(false);
    });

    test.each(headers)('%s can be included alone, in C', (name) => {
        const file = join(scratch, 'alone.c');
        writeFileSync(file, `#include <qhive/${name}>\n#include <qhive/${name}>\nint alone;\n`);
        run(cc, ['-std=c17', ...STRICT, `-I${join(prefix, 'include')}`, '-fsyntax-only', file]);
    });

    test('the C interface does what its headers say, and refuses the rest', () => {
        const program = join(scratch, 'embed');
        run(cc, ['-std=c17', ...STRICT, ...link, program, 'tests/toolchains/embed.c', ...library()]);
        const lines = run(program, []).trim().split('\n');
        expect(lines.filter((line) => !line.startsWith('ok - '))).toEqual([]);
        expect(lines.length).toBeGreaterThan(70);
    });

    test.each(of('c').map(({ page, source }) => [page, source]))('the C program of %s runs', (_, source) => {
        const [file, program] = [join(scratch, 'page.c'), join(scratch, 'page')];
        writeFileSync(file, source);
        run(cc, ['-std=c17', ...STRICT, ...link, program, file, ...library()]);
        expect(run(program, [])).toMatch(/^\d+\.\d\d \d+\.\d\d\n$/);
    });

    (pkgConfig ? test : test.skip)('pkg-config finds it', () => {
        const environment = { ...process.env, PKG_CONFIG_PATH: join(prefix, libdir(), 'pkgconfig') };
        const flags = run(pkgConfig, ['--cflags', '--libs', 'qhive'], { env: environment }).trim().split(/\s+/);
        run(cc, ['-std=c17', 'examples/c/cliff.c', '-o', join(scratch, 'cliff'), ...flags]);
        expect(run(join(scratch, 'cliff'), [])).toContain(CLIFF_TABLE);
        expect(run(pkgConfig, ['--modversion', 'qhive'], { env: environment }).trim()).toBe(version);
    });

    (pkgConfig ? test : test.skip)('pkg-config finds it in a folder of two parts', () => {
        const [folder, installed] = [join(scratch, 'multiarch'), join(scratch, 'usr', 'lib', 'some-system', 'pkgconfig')];
        run('cmake', ['-S', root, '-B', folder, '-DQHIVE_TARGET=native', '-DCMAKE_INSTALL_LIBDIR=lib/some-system']);
        mkdirSync(installed, { recursive: true });
        copyFileSync(join(folder, 'qhive.pc'), join(installed, 'qhive.pc'));
        const variable = (name) => run(pkgConfig, [`--variable=${name}`, 'qhive'], { env: { ...process.env, PKG_CONFIG_PATH: installed } }).trim();
        expect(resolve(variable('includedir'))).toBe(join(scratch, 'usr', 'include'));
        expect(resolve(variable('libdir'))).toBe(join(scratch, 'usr', 'lib', 'some-system'));
    });
});

compilerOrSkip('examples/c, built outside of the tree with find_package', () => {
    const command = join(examples, 'command');
    const table = join(scratch, 'native.qhtb');

    beforeAll(() => {
        rmSync(examples, { recursive: true, force: true });
        run('cmake', ['-S', 'examples/c', '-B', examples, `-DCMAKE_PREFIX_PATH=${prefix}`, '-DCMAKE_BUILD_TYPE=Release']);
        run('cmake', ['--build', examples]);
    });

    test('cliff learns the way along the cliff', () => {
        const printed = run(join(examples, 'cliff'), []);
        expect(printed).toContain(CLIFF);
        expect(printed).toContain(CLIFF_TABLE);
    });

    test('command runs agents and inspects what they learned', () => {
        expect(run(command, ['run', '--out', table])).toContain(COMMAND_TABLES);
        expect(run(command, ['inspect', table])).toMatch(new RegExp(`actions +4\n.*\nstates +${COMMAND_STATES}\n.*checksum right`));
        expect(run(command, ['--help'])).toContain(`qhive ${version}`);
    });

    test('its exports are the package\'s: a table goes from C to JavaScript', async () => {
        const { createRuntimeSync } = await import('qhive');
        const runtime = createRuntimeSync();
        const config = { actions: 4, encoder: { kind: 'index', states: 48 } };
        const agent = runtime.createAgent({ ...config, learningRate: 0.5, discount: 1 });
        agent.importTable(readFileSync(table));
        expect(agent.metrics.states).toBe(COMMAND_STATES);
        const index = runtime.createIndex({ dims: 2, metric: 'l2' });
        index.addAll(Float32Array.from({ length: 40 }, (_, i) => i));
        index.freeze();
        writeFileSync(join(scratch, 'index.bin'), index.export());
        expect(run(command, ['inspect', join(scratch, 'index.bin')])).toMatch(/rows +20\ndimensions +2\nmetric +l2\n/);
        runtime.dispose();
    });

    test.each([
        [['fly'], 2, 'expected run or inspect'],
        [[], 2, 'usage'],
        [['run', '--agents', '0'], 2, '--agents'],
        [['run', '--agents', '594'], 2, '--agents'],
        [['run', '--seed'], 2, '--seed'],
        [['run', '--steps', '1x'], 2, '--steps'],
        [['run', '--steps', '2', '--out', '/nowhere/at/all'], 1, 'cannot write'],
        [['inspect', '/nowhere/at/all'], 1, 'cannot read'],
        [['inspect', 'package.json'], 1, 'CORRUPT'],
    ])('command %j says what is wrong', (args, status, said) => {
        const result = attempt(command, args);
        expect(result.status).toBe(status);
        expect(result.stderr).toContain(said);
    });
});

compilerOrSkip('a project that has qhive as a subdirectory', () => {
    const folder = join(scratch, 'subdirectory');

    test('configures, has the library as qhive::qhive, and none of qhive\'s own programs', () => {
        rmSync(folder, { recursive: true, force: true });
        mkdirSync(folder, { recursive: true });
        const lines = [
            'cmake_minimum_required(VERSION 3.21)', 'project(outer LANGUAGES C)', `add_subdirectory("${root}" qhive)`,
            `add_executable(cliff "${root}/examples/c/cliff.c")`, 'target_link_libraries(cliff PRIVATE qhive::qhive)',
        ];
        writeFileSync(join(folder, 'CMakeLists.txt'), lines.join('\n'));
        run('cmake', ['-S', folder, '-B', join(folder, 'build')]);
        const targets = run('cmake', ['--build', join(folder, 'build'), '--target', 'help']);
        expect(targets).toMatch(/\bqhive\b/);
        expect(targets).toMatch(/\bcliff\b/);
        expect(targets).not.toMatch(/qhive_(tests|golden|boundary)/);
    });
});

cxxOrSkip('C++', () => {
    test.each(headers)('%s can be included alone', (name) => {
        const file = join(scratch, 'alone.cpp');
        writeFileSync(file, `#include <qhive/${name}>\n#include <qhive/${name}>\nint alone;\n`);
        run(cxx, ['-std=c++17', ...STRICT, `-I${join(prefix, 'include')}`, '-fsyntax-only', file]);
    });

    test('sizes, offsets and constants are those of C, and the library can be called', () => {
        const [object, program] = [join(scratch, 'abi.o'), join(scratch, 'abi')];
        run(cc, ['-std=c17', ...STRICT, `-I${join(prefix, 'include')}`, '-c', 'tests/toolchains/abi.c', '-o', object]);
        run(cxx, ['-std=c++17', ...STRICT, ...link, program, 'tests/toolchains/abi.cpp', object, ...library()]);
        const printed = run(program, []);
        expect(printed).toMatch(/^\d{2,} numbers, 0 differ; arm 1; /m);
        expect(printed).toContain(`version ${version}; STALE_HANDLE`);
    });
});
