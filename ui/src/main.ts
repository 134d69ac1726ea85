import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import './design/tokens.css';
import './design/base.css';

import { mount } from 'svelte';

import { installHost } from './platform';
import { tauriHost } from './platform/tauri';
import Shell from './shell/Shell.svelte';

installHost(tauriHost);

const target = document.getElementById('app');
if (!target) throw new Error('The page has no place for the app.');

mount(Shell, { target });
