import { deployFiles } from './deploy.js';
import { onnxFiles } from './onnx.js';
import { packageFiles } from './package.js';
import type { Kind, Project, StarterFile } from './project.js';
import { pythonFiles } from './python.js';
import { serviceFiles } from './service.js';
import { typescriptFiles } from './typescript.js';
import { testFiles } from './worker-test.js';

const OWN: Readonly<Record<Kind, (project: Project) => readonly StarterFile[]>> = {
  typescript: typescriptFiles,
  python: pythonFiles,
  service: serviceFiles,
  onnx: onnxFiles,
};

const WHERE_THE_MODEL_GOES: Readonly<Record<Kind, string>> = {
  typescript: '`findSpots` in `worker.ts`, and the labels below it',
  python: '`detect` in `detect.py`, its labels, and `requirements.txt`',
  service: '`detect` in `service.py`, its labels, and `requirements.txt`',
  onnx: '`models/*.onnx` and `models/antenna.json`, which describes them',
};

/** All files of a worker to start from. */
export function starterFiles(project: Project): readonly StarterFile[] {
  return [
    ...OWN[project.kind](project),
    ...testFiles(project),
    ...packageFiles(project),
    ...deployFiles(project),
    { path: 'README.md', content: readme(project) },
  ];
}

const readme = ({ name, kind, slug }: Project): string => `# ${name}

A worker for Antenna with the pipeline \`${slug}\`. Its model only holds the place of yours: put that into ${WHERE_THE_MODEL_GOES[kind]}. Give the pipeline
another version when the model changes.

| to | type |
| --- | --- |
| install | \`npm install\` |
| test against an Antenna in memory | \`npm test\` |
| look at what it finds in your photographs, without a server | \`npx antenna predict ./photos --out predictions\` |
| have an Antenna to try it against | \`npx antenna serve\`, which prints the lines to type next |
| check this machine, the server and the key | \`npx antenna doctor\` |
| work | \`npx antenna run --project 1\` |

\`antenna.config.json\` says where the pipeline comes from. Server and key come from \`ANTENNA_API_URL\` and \`ANTENNA_API_KEY_FILE\` (or \`ANTENNA_API_KEY\`);
\`npx antenna provision\` makes a key with a staff user. For machines: \`Dockerfile\`, \`deploy/${name}.service\` (systemd), \`deploy/supervisord.conf\` and
\`deploy/slurm-array.sh\`.
`;
