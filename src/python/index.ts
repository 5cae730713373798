/**
 * Where the Python side of a handler lies.
 * @module antenna-sdk/python
 */
import { pythonHelperPath } from '../worker/executors/command/python-helper.js';

/**
 * Path of `antenna_handler.py`, for whoever copies it beside a model:
 * `cp "$(node -p "require('antenna-sdk/python').helperPath")" .`
 */
export const helperPath: string = pythonHelperPath();
