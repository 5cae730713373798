// The reference of the site, from the comments in the sources: `typedoc.json` says how. A warning fails it: a link that leads nowhere, a
// parameter that is not there, a type that users meet and that no entry exports.
import { Application, type Context, Converter, type DeclarationReflection, ReflectionKind } from 'typedoc';
import ts from 'typescript';

/** Types that are inferred from a schema, by what they are. Their names are lost to the compiler: without this `Promise<Job>` is forty lines. */
const inferred = new Map<ts.Type, ts.Symbol>();

/** Gives types that are inferred from schemas the names that the sources give them. */
function nameInferredTypes(context: Context): void {
  for (const program of context.programs) {
    const checker = program.getTypeChecker();
    for (const file of program.getSourceFiles()) {
      if (file.isDeclarationFile) continue;
      for (const statement of file.statements) {
        if (!ts.isTypeAliasDeclaration(statement) || statement.typeParameters) continue;
        if (!/^z\.(infer|input|output)</.test(statement.type.getText(file))) continue;
        const symbol = checker.getSymbolAtLocation(statement.name);
        const type = symbol && checker.getDeclaredTypeOfSymbol(symbol);
        if (
          !symbol ||
          !type ||
          inferred.has(type) ||
          !(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Union))
        )
          continue;
        inferred.set(type, symbol);
        nameType(type, symbol);
      }
    }
  }
}

function nameType(type: ts.Type, symbol: ts.Symbol | undefined): void {
  Object.assign(type, { aliasSymbol: symbol, aliasTypeArguments: undefined });
}

/** Shows the fields of a type that is inferred from a schema, in place of `z.infer<…>`. */
function showFields(scopes: ReadonlyMap<DeclarationReflection, Context>): void {
  for (const [reflection, context] of scopes) {
    const symbol = context.getSymbolFromReflection(reflection);
    const [type] = [...inferred].find(([, named]) => named === symbol) ?? [];
    if (!type) continue;
    nameType(type, undefined);
    reflection.type = context.converter.convertType(context, type);
    nameType(type, symbol);
    // As for a type that is written out: its fields become those of the alias.
    if (reflection.type.type === 'reflection' && reflection.type.declaration.children) {
      context.project.mergeReflections(reflection.type.declaration, reflection);
      delete reflection.type;
    }
  }
}

const app = await Application.bootstrapWithPlugins();
app.converter.on(Converter.EVENT_BEGIN, nameInferredTypes);
const scopes = new Map<DeclarationReflection, Context>();
app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
  if (reflection.kindOf(ReflectionKind.TypeAlias)) scopes.set(reflection, context.withScope(reflection));
});
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, () => {
  showFields(scopes);
});
const project = await app.convert();
if (project) {
  app.validate(project);
  if (!app.logger.hasErrors() && !app.logger.hasWarnings()) await app.generateOutputs(project);
}
if (!project || app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1;
