// `--import tsx` does nothing in a worker thread; this does the same in threads and processes.
import { register } from 'tsx/esm/api';

register();
