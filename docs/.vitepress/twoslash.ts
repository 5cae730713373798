import { fileURLToPath } from 'node:url';
import { transformerTwoslash } from '@shikijs/vitepress-twoslash';
import ts from 'typescript';

const local = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Pages whose every snippet in TypeScript compiles as it stands. On other pages a snippet asks with ` ```ts twoslash `. */
export const COMPILED_PAGES = ['bridge.md', 'client.md', 'onnx.md'];

/** Types on hover. A snippet that the compiler refuses ends the build. */
export const twoslash = transformerTwoslash({
  throws: true,
  twoslashOptions: {
    // Without a slash at its end: with one, no complaint of the compiler is taken for one of the snippet.
    vfsRoot: local('docs'),
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      // The sources, so that the pages need no build of the package.
      paths: {
        'antenna-sdk': [local('src/index.ts')],
        'antenna-sdk/onnx': [local('src/onnx/index.ts')],
        'antenna-sdk/python': [local('src/python/index.ts')],
        'antenna-sdk/testing': [local('src/testing/index.ts')],
      },
    },
  },
});
