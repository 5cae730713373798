import type { Project, StarterFile } from './project.js';

/** A container image, units for systemd and supervisord, and a SLURM array job. */
export function deployFiles(project: Project): readonly StarterFile[] {
  const { name } = project;
  return [
    { path: 'Dockerfile', content: dockerfile(project) },
    { path: '.dockerignore', content: DOCKER_IGNORED },
    { path: `deploy/${name}.service`, content: systemdUnit(name) },
    { path: 'deploy/supervisord.conf', content: supervisordProgram(name) },
    { path: 'deploy/slurm-array.sh', content: slurmScript(name), executable: true },
  ];
}

const DOCKER_IGNORED = `node_modules
__pycache__
spool
test
*.jsonl
.env
antenna-api-key
.git
`;

function dockerfile({ kind }: Project): string {
  const python = kind === 'python' || kind === 'service';
  const install = kind === 'onnx' ? 'ONNXRUNTIME_NODE_INSTALL=skip npm install' : 'npm install';
  const pythonSteps = `RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv && rm -rf /var/lib/apt/lists/*
ENV PATH=/venv/bin:$PATH
COPY requirements.txt ./
RUN python3 -m venv /venv && /venv/bin/pip install --no-cache-dir -r requirements.txt
`;
  return `# docker build -t WORKER . && docker run --env ANTENNA_API_URL --volume ./antenna-api-key:/run/antenna-api-key:ro WORKER
FROM node:22-slim
WORKDIR /app
${python ? pythonSteps : ''}COPY package.json package-lock.json* ./
${kind === 'onnx' ? '# Without the CUDA libraries; leave the variable out to have them.\n' : ''}RUN ${install} --omit=dev
COPY . .
# The code belongs to root and is read-only to the worker; what it may write is the spool, a volume.
RUN mkdir --mode=0700 /spool && chown node:node /spool
VOLUME /spool
USER node
ENV NODE_ENV=production ANTENNA_API_KEY_FILE=/run/antenna-api-key ANTENNA_SPOOL_DIRECTORY=/spool \\
    ANTENNA_HEALTH_HOST=0.0.0.0 ANTENNA_HEALTH_PORT=8080
EXPOSE 8080
# Not npm: as the first process it would keep SIGTERM to itself, and every stop would be a kill. Give it 30 s to stop.
CMD ["node_modules/.bin/antenna", "run"]
`;
}

const systemdUnit = (
  name: string,
): string => `# /etc/systemd/system/${name}.service, with the worker and its node_modules in /opt/${name}
[Unit]
Description=Antenna worker ${name}
Wants=network-online.target
After=network-online.target

[Service]
WorkingDirectory=/opt/${name}
ExecStart=/opt/${name}/node_modules/.bin/antenna run --spool /var/lib/${name}
Environment=NODE_ENV=production
Environment=ANTENNA_API_URL=https://antenna.example.org
Environment=ANTENNA_PROJECTS=1
# Read by root and shown to this service alone; systemctl restart after a change.
LoadCredential=api-key:/etc/${name}/antenna-api-key
Environment=ANTENNA_API_KEY_FILE=%d/api-key
DynamicUser=yes
StateDirectory=${name}
StateDirectoryMode=0700
Restart=always
RestartSec=10
# Wrong settings and a refused key are the same after a restart.
RestartPreventExitStatus=2 4
# The worker alone is told to stop: it ends its handlers itself, when they are done. Above its grace of 25 s.
KillMode=mixed
TimeoutStopSec=35
LimitNOFILE=4096
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
`;

const supervisordProgram = (
  name: string,
): string => `; /etc/supervisor/conf.d/${name}.conf, with the worker and its node_modules in /opt/${name}
[program:${name}]
directory=/opt/${name}
command=/opt/${name}/node_modules/.bin/antenna run --spool /var/lib/${name}
environment=NODE_ENV="production",ANTENNA_API_URL="https://antenna.example.org",ANTENNA_PROJECTS="1",ANTENNA_API_KEY_FILE="/etc/${name}/antenna-api-key"
; A user who may read the key and write the spool.
user=antenna
autostart=true
autorestart=unexpected
; Wrong settings (2) and a refused key (4) are the same after a restart.
exitcodes=0,2,4
startsecs=5
stopsignal=TERM
; The worker alone is told to stop: it ends its handlers itself, when they are done. Above its grace of 25 s.
stopasgroup=false
killasgroup=true
stopwaitsecs=35
stdout_logfile=/var/log/${name}.log
stderr_logfile=/var/log/${name}.err
`;

const slurmScript = (name: string): string => `#!/bin/bash
# sbatch deploy/slurm-array.sh, from the folder of the worker. Workers know nothing of each other and share the jobs.
#SBATCH --job-name=${name}
#SBATCH --array=0-3
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=12:00:00
#SBATCH --output=%x-%A_%a.log
# One GPU for each:
##SBATCH --gres=gpu:1
# Told a minute before the end, which is more than the worker's grace of 25 s.
#SBATCH --signal=B:TERM@60
set -euo pipefail
cd "\${SLURM_SUBMIT_DIR:-$(dirname "$0")/..}"

export ANTENNA_API_URL="\${ANTENNA_API_URL:-https://antenna.example.org}"
# On a disk that all nodes see, readable by you alone.
if [ -z "\${ANTENNA_API_KEY:-}" ]; then
  export ANTENNA_API_KEY_FILE="\${ANTENNA_API_KEY_FILE:-$HOME/.antenna-api-key}"
fi

# exec: the worker takes the shell's place, so that the signal reaches it. No spool: the disks that nodes share take none, and the next
# run may be on another node; what is computed is posted before the end.
exec node_modules/.bin/antenna run --max-time "\${ANTENNA_MAX_TIME:-11h58m}" --exit-when-idle "\${ANTENNA_EXIT_WHEN_IDLE:-10m}" "$@"
`;
