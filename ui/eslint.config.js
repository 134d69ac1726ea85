import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

import svelteConfig from './svelte.config.js';

/** The only folder that may know of Tauri. */
const tauriOnlyInPlatform = {
  group: ['@tauri-apps/*'],
  message: 'Only src/platform talks to Tauri.',
};

/** A screen stands alone: what two screens need lives in components/ or state/. */
const screens = ['home', 'datasets', 'wizard', 'jobs', 'models', 'playground', 'evaluations', 'settings'];
const noOtherScreen = screens.map((screen) => ({
  files: [`src/screens/${screen}/**`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          tauriOnlyInPlatform,
          {
            group: screens.filter((other) => other !== screen).map((other) => `**/${other}/*`),
            message: 'A screen imports nothing from another screen.',
          },
        ],
      },
    ],
  },
}));

export default ts.config(
  { ignores: ['dist', 'src/contract'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      'no-undef': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_$', argsIgnorePattern: '^_$' }],
      'svelte/no-at-html-tags': 'error',
      // Maps and sets here are either replaced as a whole or not shown at all.
      'svelte/prefer-svelte-reactivity': 'off',
      'svelte/require-each-key': 'error',
      // Routes are hashes of our own; SvelteKit's resolve() does not exist here.
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig },
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/platform/**', 'src/screens/**'],
    rules: { 'no-restricted-imports': ['error', { patterns: [tauriOnlyInPlatform] }] },
  },
  ...noOtherScreen,
);
