// Lets a thread load the handler's TypeScript: what `tsx` does for the program that it starts does not reach threads.
import { register } from 'tsx/esm/api';

register();
