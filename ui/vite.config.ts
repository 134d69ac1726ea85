import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte(), svelteTesting()],
  clearScreen: false,
  server: { port: 5178, strictPort: true, host: '127.0.0.1' },
  build: {
    // The window is WebKit 2.50 or later on every platform that the bundle supports.
    target: 'safari16.4',
    outDir: 'dist',
    emptyOutDir: true,
    // The content security policy allows fonts and scripts from files of the app only, never from data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['testing/setup.ts'],
    restoreMocks: true,
  },
});
