/**
 * Where the window is, read from and written to the address after the hash, so that it can be restored and driven.
 */
export type ScreenName =
  'home' | 'datasets' | 'fine-tune' | 'jobs' | 'models' | 'playground' | 'evaluations' | 'settings';

export interface Route {
  screen: ScreenName;
  /** What follows the screen: an id, or a step of the wizard. */
  rest: string | null;
  query: URLSearchParams;
}

const SCREENS: readonly ScreenName[] = [
  'home',
  'datasets',
  'fine-tune',
  'jobs',
  'models',
  'playground',
  'evaluations',
  'settings',
];

/** An address that names nothing known is Home. */
export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [first = '', ...others] = path.split('/').map(decode);
  const screen = SCREENS.find((name) => name === first) ?? 'home';
  return { screen, rest: others[0] || null, query: new URLSearchParams(search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function routeTo(screen: ScreenName, rest?: string, query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#/${screen}${rest ? `/${encodeURIComponent(rest)}` : ''}${search ? `?${search}` : ''}`;
}

class Router {
  #route = $state.raw<Route>(parseRoute(window.location.hash));

  constructor() {
    window.addEventListener('hashchange', () => this.sync());
  }

  get route(): Route {
    return this.#route;
  }

  /** Reads the address again. The browser's own event comes late, so `go` does not wait for it. */
  sync(): void {
    this.#route = parseRoute(window.location.hash);
  }

  go(address: string): void {
    window.location.hash = address;
    this.sync();
  }

  /** Changes the address without a step in the history. */
  replace(address: string): void {
    window.history.replaceState(null, '', address);
    this.sync();
  }
}

export const router = new Router();
