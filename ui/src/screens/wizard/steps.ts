/** The wizard's steps, in their order. */
export const steps = [
  { id: 'goal', label: 'Goal' },
  { id: 'model', label: 'Base model' },
  { id: 'data', label: 'Data' },
  { id: 'settings', label: 'Settings' },
  { id: 'output', label: 'Output and role' },
  { id: 'review', label: 'Check and start' },
] as const;

export type StepId = (typeof steps)[number]['id'];

export function stepFrom(text: string | null): StepId {
  return steps.find((step) => step.id === text)?.id ?? 'goal';
}

/** The step on which a problem of the plan is mended. Fields that are no member of the draft are hyperparameters. */
export function stepOf(field: string): StepId {
  switch (field) {
    case 'baseModel':
      return 'model';
    case 'customizationType':
      return 'goal';
    case 'dataset':
    case 'invocationLogs':
      return 'data';
    case 'jobName':
    case 'modelName':
    case 'outputUri':
    case 'bucket':
    case 'roleArn':
    case 'kmsKey':
    case 'subnets':
    case 'securityGroups':
    case 'jobTags':
    case 'modelTags':
      return 'output';
    default:
      return 'settings';
  }
}
