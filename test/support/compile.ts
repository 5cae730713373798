import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Compiling is no policy of ours to be impatient with: a busy machine needs its time. */
export const COMPILE_TIMEOUT_MS = 120_000;

/** What the compiler says of these files under our own strict settings; empty is good. */
export function complaintsOf(files: readonly string[], changes: ts.CompilerOptions = {}): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    fileURLToPath(new URL('../../tsconfig.json', import.meta.url)),
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  const program = ts.createProgram(files, { ...config?.options, noEmit: true, ...changes });
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ messageText, file }) =>
        `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
}
