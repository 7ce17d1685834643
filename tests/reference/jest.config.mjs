/**
 * Runs the environment and learning tests against the reference instead of the package:
 *
 *     node --experimental-vm-modules node_modules/jest/bin/jest.js -c tests/reference/jest.config.mjs
 */
export default {
    rootDir: '../..',
    testEnvironment: 'node',
    testMatch: ['<rootDir>/tests/environments/*.test.js', '<rootDir>/tests/reference/*.test.js', '<rootDir>/tests/learning/*.test.js'],
    testPathIgnorePatterns: ['/tests/learning/agreement'],
    moduleNameMapper: { '^qhive$': '<rootDir>/tests/reference/runtime.js' },
    transform: {},
    testTimeout: 120000,
};
