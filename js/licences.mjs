/**
 * The licences of what a bundle takes in: all of it asks that its notice goes along.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folders of packages that a bundle read from. @param {import('esbuild').Metafile} metafile */
function packagesOf({ inputs }) {
    const folders = Object.keys(inputs).map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
    return [...new Set(folders)].filter(Boolean).sort();
}

/** @param {string} root that paths of the bundle start from @param {import('esbuild').Metafile[]} metafiles @returns {string} one notice after the other */
export function licencesOf(root, metafiles) {
    const folders = [...new Set(metafiles.flatMap(packagesOf))].map((path) => join(root, path));
    return folders.map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        if (!file || !existsSync(join(folder, file))) throw new Error(`${name} ${version} (${license}) is bundled and has no licence file`);
        return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    }).join(`\n${'-'.repeat(80)}\n\n`);
}
