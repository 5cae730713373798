// Lets threads read TypeScript: `--import tsx` does nothing in them. Only this repository needs it, the package is JavaScript.
import { register } from 'tsx/esm/api';

register();
