/**
 * The real binary as a user gets it: what package.json packs, in a folder where nothing else is installed. Two commands run at a time.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../cmake/build.mjs';
import { lanes } from '../run.mjs';

export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** @returns {{ folder: string, binary: string, qhive: (args: string[], env?: object) => Promise<{ status: number, stdout: string, stderr: string }>, remove: () => void }} */
export function install() {
    const folder = mkdtempSync(join(tmpdir(), 'qhive-cli-'));
    const installed = join(folder, 'node_modules', 'qhive');
    mkdirSync(installed, { recursive: true });
    for (const name of ['package.json', ...manifest.files.filter((pattern) => !pattern.startsWith('!'))]) {
        cpSync(join(root, name), join(installed, name), { recursive: true });
    }
    const binary = join(installed, manifest.bin.qhive);
    const lane = lanes(2);
    const { NO_COLOR: _, FORCE_COLOR: __, ...clean } = process.env;
    const qhive = (args, env = {}) => lane(() => new Promise((resolve) => {
        execFile(process.execPath, [binary, ...args], { cwd: folder, env: { ...clean, ...env }, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
            resolve({ status: error ? error.code : 0, stdout, stderr });
        });
    }));
    return { folder, binary, qhive, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
