// The public surface of every entry, as text: `npm run api` writes the reports in etc/, `npm run api -- --check` fails where they are not
// what the built package has. A change of the surface is seen in review that way, wanted or not.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = {
  index: 'antenna-sdk',
  testing: 'antenna-sdk-testing',
  onnx: 'antenna-sdk-onnx',
  python: 'antenna-sdk-python',
};
mkdirSync(`${ROOT}etc`, { recursive: true });
const isCheck = process.argv.includes('--check');
const quiet = { default: { logLevel: ExtractorLogLevel.None, addToApiReportFile: false } };

for (const [entry, name] of Object.entries(ENTRIES)) {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: `${ROOT}package.json`,
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: `<projectFolder>/dist/${entry}.d.ts`,
      compiler: { tsconfigFilePath: '<projectFolder>/tsconfig.json', skipLibCheck: true },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: '<projectFolder>/etc/',
        reportTempFolder: '<projectFolder>/.cache/api/',
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        extractorMessageReporting: quiet,
        tsdocMessageReporting: quiet,
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } },
      },
    },
  });
  const { succeeded, apiReportChanged } = Extractor.invoke(config, {
    localBuild: !isCheck,
    messageCallback: (message) => {
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
    },
  });
  if (isCheck && apiReportChanged) {
    console.error(
      `The public surface of ${name} is not what etc/${name}.api.md says. If that is meant, run "npm run api", look at what changed, and commit it.`,
    );
    process.exitCode = 1;
  } else if (!succeeded && !isCheck) process.exitCode = 1;
}
