/** Kinds of training: their names, what each is, and what a model asks for each. */
import type { BaseModel, CustomizationType, Training } from '../../contract';

export const TRAININGS: readonly { type: CustomizationType; name: string; what: string }[] = [
  { type: 'fineTuning', name: 'Fine-tuning', what: 'Learn from prompts with the answers you want.' },
  {
    type: 'continuedPreTraining',
    name: 'Continued pre-training',
    what: 'Read plain text, without questions and answers.',
  },
  { type: 'distillation', name: 'Distillation', what: 'Learn from the answers of a larger model.' },
  {
    type: 'reinforcementFineTuning',
    name: 'Reinforcement',
    what: 'Be rewarded by a grader of yours, an AWS Lambda function.',
  },
];

export function trainingName(type: CustomizationType): string {
  return TRAININGS.find((one) => one.type === type)?.name ?? type;
}

/** What a model asks for a kind of training; what fine-tuning asks, where it has nothing of its own. */
export function trainingOf(model: BaseModel, type: CustomizationType): Training {
  return (
    model.otherTrainings.find((one) => one.customizationType === type) ?? {
      customizationType: type,
      dataFormat: model.dataFormat,
      minRecords: model.minRecords,
      maxRecords: model.maxRecords,
      validationAccepted: model.validationAccepted,
      hyperparameters: model.hyperparameters,
    }
  );
}
