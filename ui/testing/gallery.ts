/**
 * Every screen with made-up answers, for looking at: `npm run dev`, then /testing/gallery.html?scene=NAME#/route.
 * Never part of the app: the build starts from index.html alone.
 */
import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import '../src/design/tokens.css';
import '../src/design/base.css';

import { mount } from 'svelte';

import { installHost } from '../src/platform';
import Shell from '../src/shell/Shell.svelte';
import { sceneHost } from './scenes';

const query = new URLSearchParams(window.location.search);
const host = sceneHost(query.get('scene') ?? 'busy', query.get('theme'));
installHost(host);
Object.assign(window, { testHost: host });

const target = document.getElementById('app');
if (target) mount(Shell, { target });
