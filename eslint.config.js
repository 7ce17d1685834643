import js from '@eslint/js';
import globals from 'globals';

/** Simulation and learning code draws from seeded generators and takes its times as arguments. */
const noClockNoEntropy = {
    'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Use a seeded generator.' },
        { object: 'performance', property: 'now', message: 'Take the time as an argument.' },
        { object: 'crypto', property: 'getRandomValues', message: 'Use a seeded generator.' },
    ],
    'no-restricted-globals': ['error', { name: 'Date', message: 'Take the time as an argument.' }],
};

/** The tests run in bare Node, where Jest's names are globals and its module cannot be imported. */
const bareJest = { 'no-restricted-imports': ['error', { name: '@jest/globals', message: 'its names are globals here' }] };

export default [
    { ignores: ['build/', 'dist/', 'node_modules/', 'coverage/'] },
    js.configs.recommended,
    {
        languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: { ...globals.node } },
        linterOptions: { reportUnusedDisableDirectives: 'error' },
        rules: {
            eqeqeq: ['error', 'always', { null: 'ignore' }],
            'no-redeclare': ['error', { builtinGlobals: false }],
            'no-var': 'error',
            'prefer-const': ['error', { destructuring: 'all' }],
            'no-eval': 'error',
            'no-implied-eval': 'error',
            'no-new-func': 'error',
            'no-unused-vars': ['error', { args: 'after-used', argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' }],
            'object-shorthand': 'error',
            'max-len': ['error', { code: 140, ignoreUrls: true, ignoreComments: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }],
            'max-lines': ['error', { max: 800 }],
            'max-lines-per-function': ['error', { max: 80, skipComments: true }],
        },
    },
    {
        files: ['js/src/**/*.js'],
        languageOptions: { globals: { ...globals['shared-node-browser'] } },
        rules: noClockNoEntropy,
    },
    { files: ['examples/*/**/*.js', 'tests/environments/**/*.js', 'tests/reference/**/*.js'], rules: noClockNoEntropy },
    { files: ['examples/*/main.js', 'js/src/cli/*.js'], rules: { 'no-restricted-properties': 'off', 'no-restricted-globals': 'off' } },
    { files: ['tests/**/*.js'], rules: { 'max-lines-per-function': 'off', 'max-len': 'off' } },
    { files: ['tests/**/*.test.js', 'tests/**/support.js'], languageOptions: { globals: { ...globals.jest } }, rules: bareJest },
    { files: ['tests/browser/**/*.js', 'tests/tarball/**/*.js', 'tests/page/**/*.js', 'web/**/*.js'], languageOptions: { globals: { ...globals.browser } } },
    { files: ['examples/{bundler,worker,react}/*.js'], languageOptions: { globals: { ...globals.browser } } },
    { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs' } },
];
