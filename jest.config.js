/** Five projects: `package` needs only Node; those with a folder of their own also need what the package is packed into (`tarball`), Chromium
 * (`browser`), any browser (`page`), or what other compilers made (`toolchains`). tests/run.mjs starts them. */
const shared = {
    runner: 'jest-light-runner',
    transform: {},
    moduleFileExtensions: ['js', 'mjs', 'cjs', 'json'],
    modulePathIgnorePatterns: ['<rootDir>/build/'],
};

const APART = ['browser', 'tarball', 'page', 'toolchains'];

export default {
    maxWorkers: 2,
    watchman: false,
    projects: [
        {
            ...shared,
            displayName: 'package',
            testMatch: ['<rootDir>/tests/**/*.test.js'],
            testPathIgnorePatterns: ['/node_modules/', ...APART.map((name) => `<rootDir>/tests/${name}/`)],
        },
        ...APART.map((name) => ({ ...shared, displayName: name, testMatch: [`<rootDir>/tests/${name}/**/*.test.js`] })),
    ],
};
