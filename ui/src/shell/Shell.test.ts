import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { later, install } from '../../testing/install';
import { sceneHost } from '../../testing/scenes';
import type { TestHost } from '../../testing/test-host';
import type { JobDetail } from '../contract';
import { jobDetail } from '../../testing/fixtures';
import { installHost } from '../platform';
import { importFlow } from '../state/import-flow.svelte';
import { router } from '../state/router.svelte';
import { overlays } from './overlays.svelte';
import Shell from './Shell.svelte';

function start(scene: string, address: string): TestHost {
  const host = sceneHost(scene, 'light');
  installHost(host);
  router.go(address);
  render(Shell);
  return host;
}

beforeEach(() => {
  importFlow.close();
  overlays.close();
});

describe('the window', () => {
  it('leads a first run to the samples', async () => {
    start('first', '#/home');
    expect(await screen.findByTestId('home-welcome')).toBeTruthy();
    await userEvent.click(await screen.findByTestId('sample-customer-support'));
    await waitFor(() => expect(router.route).toMatchObject({ screen: 'datasets', rest: 'd-support' }));
  });

  it('takes a file that the desktop hands over to its import', async () => {
    const host = start('busy', '#/home');
    await screen.findAllByTestId('recent-job');
    host.emit({
      event: 'filesDropped',
      files: [{ token: 't-9', name: 'dropped.csv', bytes: 12, attachesAs: 'document' }],
    });
    expect(await screen.findByTestId('import-confirm')).toBeTruthy();
    expect(host.argumentsOf('preview_file')).toEqual([{ token: 't-9', reading: null }]);
  });

  it('says what is wrong when nothing answers, and offers the way out', async () => {
    start('failing', '#/jobs');
    expect((await screen.findByTestId('error-panel')).textContent).toContain('does not answer');
    expect(screen.getByTestId('connection-card').dataset['state']).toBe('failed');
  });

  it('opens the palette with Ctrl+K and goes where Enter says', async () => {
    start('busy', '#/home');
    await screen.findAllByTestId('recent-dataset');
    await userEvent.keyboard('{Control>}k{/Control}');
    await userEvent.type(await screen.findByTestId('palette-input'), 'banking77-t{Enter}');
    expect(router.route).toMatchObject({ screen: 'jobs', rest: 'j-1' });
    expect(screen.queryByTestId('palette')).toBeNull();
  });

  it('has no place in the sidebar for a screen that is not built', () => {
    start('busy', '#/home');
    const places = screen.getAllByRole('link').map((link) => link.textContent?.replace(/[\d\s]+.*$/s, ''));
    expect(places).not.toContain('Models');
    expect(places).not.toContain('Evaluations');
  });
});

describe('a job', () => {
  it('is stopped only after the consequence was read', async () => {
    const host = start('busy', '#/jobs/j-1');
    await userEvent.click(await screen.findByTestId('job-stop'));
    expect(host.argumentsOf('stop_job')).toEqual([]);
    expect(screen.getByRole('dialog').textContent).toContain('banking77-tiny-01');
    expect(screen.getByRole('dialog').textContent).toContain('leaves no model');
    await userEvent.click(screen.getByTestId('job-stop-confirm'));
    expect(host.argumentsOf('stop_job')).toEqual([{ job: 'j-1' }]);
    await waitFor(() => expect(screen.getByTestId('job-status').textContent).toContain('Stopping'));
  });

  it('that failed says why and what to do', async () => {
    start('busy', '#/jobs/j-3');
    const failure = await screen.findByTestId('job-failure');
    expect(failure.textContent).toContain('The completion is empty');
    expect(failure.textContent).toContain('mend them and start again');
  });

  it('is read again when the workbench says that it moved', async () => {
    const host = start('busy', '#/jobs/j-1');
    await screen.findByTestId('job-status');
    const detail: JobDetail = jobDetail();
    host.handlers.job = () => ({ ...detail, summary: { ...detail.summary, status: 'completed' } });
    host.emit({ event: 'jobsChanged', job: 'j-1' });
    expect(await screen.findByTestId('job-deploy')).toBeTruthy();
  });
});

describe('a window whose workbench is slow', () => {
  it('stands at once and fills when the answers come', async () => {
    const datasets = later<[]>();
    const host = install({ ...sceneHost('first', 'light').handlers, datasets: () => datasets.promise });
    router.go('#/datasets');
    render(Shell);
    expect(screen.getByRole('heading', { name: 'Datasets' })).toBeTruthy();
    expect(screen.queryByTestId('datasets-empty')).toBeNull();
    datasets.resolve([]);
    expect(await screen.findByTestId('datasets-empty')).toBeTruthy();
    expect(host.calls.length).toBeGreaterThan(0);
  });
});
