/** What every screen shares: the connection, the lists, the activities, the theme. Kept fresh by the workbench's events. */
import type {
  Activity,
  AppError,
  AppEvent,
  BaseModel,
  Connection,
  DataModel,
  DatasetSummary,
  EvaluationSummary,
  JobSummary,
  PickedFile,
  RunningCosts,
  Settings,
  SettingsPatch,
  Theme,
} from '../contract';
import { call, onEvent, toAppError } from '../platform';
import { drops } from './drops';
import { importFlow } from './import-flow.svelte';
import { Resource } from './resource.svelte';
import { router, routeTo } from './router.svelte';
import { toasts } from './toasts.svelte';

/** How many ended activities the drawer keeps. */
const ENDED_KEPT = 20;

const systemDark = window.matchMedia('(prefers-color-scheme: dark)');

class App {
  #version = $state('');
  #settings = $state.raw<Settings>({ theme: 'system', monthlyBudgetUsd: null, transferLimit: null });
  #systemDark = $state(systemDark.matches);
  #connection = $state.raw<Connection | null>(null);
  #startError = $state.raw<AppError | null>(null);
  #activities = $state.raw<Activity[]>([]);
  readonly connections = new Resource<Connection[]>(() => call('connections', {}));
  readonly datasets = new Resource<DatasetSummary[]>(() => call('datasets', {}));
  readonly jobs = new Resource<JobSummary[]>(() => call('jobs', {}));
  readonly evaluations = new Resource<EvaluationSummary[]>(() => call('evaluations', {}));
  readonly runningCosts = new Resource<RunningCosts>(() => call('running_costs', {}));
  readonly dataModels = new Resource<DataModel[]>(() => call('data_models', {}));
  readonly baseModels = new Resource<BaseModel[]>(() => call('base_models', {}));

  get version(): string {
    return this.#version;
  }
  get settings(): Settings {
    return this.#settings;
  }
  /** Whether the dark theme holds: the person's choice, else the system's. */
  get dark(): boolean {
    const { theme } = this.#settings;
    return theme === 'dark' || (theme === 'system' && this.#systemDark);
  }
  get connection(): Connection | null {
    return this.#connection;
  }
  get startError(): AppError | null {
    return this.#startError;
  }
  get activities(): readonly Activity[] {
    return this.#activities;
  }
  get runningActivities(): Activity[] {
    return this.#activities.filter((activity) => activity.state === 'running');
  }
  get runningJobs(): JobSummary[] {
    return (this.jobs.value ?? []).filter((job) => isUnderWay(job));
  }

  /** Whether the wizard can tune a model that data is checked for; so taken while the list is not here. */
  tunes(id: string): boolean {
    return this.dataModels.value?.find((model) => model.id === id)?.tuned ?? true;
  }

  /** Listens until the returned function is called. Before `load`, so that no change falls between the two. */
  listen(): () => void {
    return onEvent((event) => this.#on(event));
  }

  /** Asks for the window's first picture; again after it failed. */
  async load(): Promise<void> {
    try {
      const start = await call('start', {});
      this.#version = start.version;
      this.#connection = start.connection;
      this.#startError = null;
      this.#applySettings(start.settings);
      if (start.openedFile) this.openFile(start.openedFile);
    } catch (thrown) {
      this.#startError = toAppError(thrown);
    }
    await Promise.all([
      this.datasets.reload(),
      this.connections.reload(),
      this.dataModels.reload(),
      this.baseModels.reload(),
      this.jobs.reload(),
      this.evaluations.reload(),
      this.runningCosts.reload(),
      this.#loadActivities(),
    ]);
  }

  setTheme(theme: Theme): Promise<void> {
    return this.patchSettings({ theme }, 'The theme was not saved');
  }

  /** Changes what is named and leaves the rest as it is. */
  async patchSettings(change: Partial<SettingsPatch>, whenNot: string): Promise<void> {
    const nothing: SettingsPatch = { theme: null, monthlyBudgetUsd: null, transferLimit: null };
    try {
      this.#applySettings(await call('patch_settings', { ...nothing, ...change }));
      if (change.monthlyBudgetUsd !== undefined) void this.runningCosts.reload();
    } catch (thrown) {
      toasts.error(toAppError(thrown), whenNot);
    }
  }

  /** Tries a connection again; the current one where none is named. */
  async reconnect(id = this.#connection?.id): Promise<void> {
    if (id === undefined) return;
    try {
      this.#takeConnection(await call('reconnect', { connection: id }));
    } catch (thrown) {
      toasts.error(toAppError(thrown), 'Still not connected');
    }
  }

  /** Makes a connection the current one. */
  async choose(id: string): Promise<void> {
    try {
      this.#takeConnection(await call('choose_connection', { connection: id }));
      void this.baseModels.reload();
      void this.jobs.reload();
    } catch (thrown) {
      toasts.error(toAppError(thrown), 'Still with the other connection');
    }
  }

  async cancelActivity(id: string): Promise<void> {
    try {
      await call('cancel_activity', { activity: id });
    } catch (thrown) {
      toasts.error(toAppError(thrown));
    }
  }

  async #loadActivities(): Promise<void> {
    try {
      const known = await call('activities', {});
      const later = this.#activities.filter((seen) => !known.some((activity) => activity.id === seen.id));
      this.#activities = [...later, ...known];
    } catch {
      // The drawer fills from events; a start that failed is already said by the shell.
    }
  }

  #takeConnection(changed: Connection): void {
    if (changed.current) this.#connection = changed;
    const known = this.connections.value;
    // One is current: the others are not, whichever answer comes first.
    const others = (one: Connection) => (changed.current ? { ...one, current: false } : one);
    if (known) this.connections.set(known.map((one) => (one.id === changed.id ? changed : others(one))));
  }

  /** After one was added, removed or chosen; what a list of models or jobs says depends on the current one. */
  async #loadConnections(): Promise<void> {
    await this.connections.reload();
    const current = this.connections.value?.find((one) => one.current);
    if (!current || current.id === this.#connection?.id) return;
    this.#connection = current;
    void this.baseModels.reload();
    void this.jobs.reload();
  }

  #applySettings(settings: Settings): void {
    this.#settings = settings;
    applyTheme(this.dark);
  }

  systemChanged(): void {
    this.#systemDark = systemDark.matches;
    applyTheme(this.dark);
  }

  /** Leads to the import of a file. */
  openFile(file: PickedFile): void {
    void importFlow.open(file);
    router.go(routeTo('datasets', 'import'));
  }

  #on(event: AppEvent): void {
    switch (event.event) {
      case 'connectionChanged':
        this.#takeConnection(event.connection);
        if (event.connection.current && event.connection.state === 'ready') {
          void this.jobs.reload();
          void this.baseModels.reload();
          void this.runningCosts.reload();
        }
        break;
      case 'connectionsChanged':
        void this.#loadConnections();
        break;
      case 'datasetsChanged':
        void this.datasets.reload();
        break;
      case 'jobsChanged':
        void this.jobs.reload();
        void this.runningCosts.reload();
        break;
      case 'evaluationsChanged':
        void this.evaluations.reload();
        break;
      case 'runningCostsChanged':
        void this.runningCosts.reload();
        break;
      case 'activityChanged':
        this.#take(event.activity);
        break;
      case 'filesDropped':
        if (!drops.offer(event.files) && event.files[0]) this.openFile(event.files[0]);
        break;
      case 'datasetProgress':
      case 'replyText':
      case 'replyWaits':
      case 'modelsChanged':
        break;
    }
  }

  #take(activity: Activity): void {
    importFlow.follow(activity);
    const others = this.#activities.filter((known) => known.id !== activity.id);
    const running = others.filter((known) => known.state === 'running');
    const ended = others.filter((known) => known.state !== 'running').slice(0, ENDED_KEPT);
    this.#activities =
      activity.state === 'running' ? [activity, ...running, ...ended] : [...running, activity, ...ended];
  }
}

export function isUnderWay(job: JobSummary): boolean {
  return job.status === 'uploading' || job.status === 'inProgress' || job.status === 'stopping';
}

/** Puts the theme that holds onto the root element. */
function applyTheme(dark: boolean): void {
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
}

export const app = new App();
systemDark.addEventListener('change', () => app.systemChanged());
applyTheme(app.dark);
