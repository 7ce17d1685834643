/**
 * The package as a user gets it: packed by npm, installed offline into an empty folder, build/tarball/app.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';

export const folder = join(root, 'build', 'tarball');
export const app = join(folder, 'app');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const QUIET = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--loglevel=error'];

/** Packs and installs: the tarball's path, and the paths in it. */
export function install() {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(app, { recursive: true });
    const run = (args, cwd) => execFileSync(npm, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    const [{ filename, files }] = JSON.parse(run(['pack', '--json', '--pack-destination', folder, ...QUIET], root));
    const tarball = join(folder, filename);
    writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
    run(['install', ...QUIET, tarball], app);
    return { tarball, paths: files.map(({ path }) => path) };
}

/** Writes a file of the app; its path. */
export function write(name, text) {
    const path = join(app, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
    return path;
}

/** Runs a program of the app in Node: what it printed. */
export const node = (name, args = []) => execFileSync(process.execPath, [...args, join(app, name)], { cwd: app, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** What is installed in the app besides the package: nothing. */
export const installed = () => readdirSync(join(app, 'node_modules')).filter((name) => !name.startsWith('.'));
