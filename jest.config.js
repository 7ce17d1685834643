/** Four projects: `package` needs only Node, `browser` also Chromium, `page` any browser, `toolchains` what other compilers made. tests/run.mjs
 * starts them. */
const shared = {
    runner: 'jest-light-runner',
    transform: {},
    moduleFileExtensions: ['js', 'mjs', 'cjs', 'json'],
    modulePathIgnorePatterns: ['<rootDir>/build/'],
};

export default {
    maxWorkers: 2,
    watchman: false,
    projects: [
        {
            ...shared,
            displayName: 'package',
            testMatch: ['<rootDir>/tests/**/*.test.js'],
            testPathIgnorePatterns: ['/node_modules/', '<rootDir>/tests/browser/', '<rootDir>/tests/page/', '<rootDir>/tests/toolchains/'],
        },
        { ...shared, displayName: 'browser', testMatch: ['<rootDir>/tests/browser/**/*.test.js'] },
        { ...shared, displayName: 'tarball', testMatch: ['<rootDir>/tests/tarball/**/*.test.js'] },
        { ...shared, displayName: 'page', testMatch: ['<rootDir>/tests/page/**/*.test.js'] },
        { ...shared, displayName: 'toolchains', testMatch: ['<rootDir>/tests/toolchains/**/*.test.js'] },
    ],
};
