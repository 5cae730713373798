import { UsageError } from './exit-codes.js';

/** Asks for a secret without showing it. @throws UsageError when the answer is a cancellation or empty. */
export async function askSecret(message: string): Promise<string> {
  const { isCancel, password } = await import('@clack/prompts');
  // On standard error, so that standard output stays the command's result.
  const answer = await password({ message, mask: '•', output: process.stderr });
  if (isCancel(answer) || answer.trim() === '') throw new UsageError('Nothing was entered');
  return answer.trim();
}

/** Asks for a line of text. */
export async function askText(message: string, initial: string): Promise<string> {
  const { isCancel, text } = await import('@clack/prompts');
  const answer = await text({ message, placeholder: initial, defaultValue: initial, output: process.stderr });
  if (isCancel(answer)) throw new UsageError('Nothing was entered');
  return answer.trim();
}

/** Lets one of several be chosen. */
export async function askChoice<Value extends string>(
  message: string,
  choices: readonly { readonly value: Value; readonly label: string }[],
): Promise<Value> {
  const { isCancel, select } = await import('@clack/prompts');
  const options = choices.map(({ value, label }) => ({ value, label }));
  const answer = await select<string>({ message, options, output: process.stderr });
  const chosen = choices.find(({ value }) => !isCancel(answer) && value === answer);
  if (chosen === undefined) throw new UsageError('Nothing was chosen');
  return chosen.value;
}
