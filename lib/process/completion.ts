/**
 * Completion of the scripts' command lines for bash and zsh, made from the tables they are parsed by: one text with all
 * that is needed, so that a TAB starts no process.
 *
 * `bun` itself is completed as it was before; only the arguments after one of our scripts are ours.
 * Tested in `test/scripts/completion.test.ts`.
 */
import { type Command, GENERAL_OPTIONS, type OptionSpec, type OptionTable, shortNames, toLongName } from "./command.ts";
import { quoteWord } from "../text/shell.ts";

interface Completed {
  /** All names of one option, dashes included. */
  readonly names: readonly string[];
  readonly spec: OptionSpec;
}

function listOptions(options: OptionTable): Completed[] {
  return Object.entries<OptionSpec>({ ...options, ...GENERAL_OPTIONS }).map(([key, spec]) => {
    const longs = [toLongName(key), ...(spec.aliases ?? [])];
    return { spec, names: [...shortNames(spec).map(name => `-${name}`), ...longs.map(name => `--${name}`)] };
  });
}

/** The words an operand named `bash|zsh` may be; SCRIPT stands for all scripts. Undefined: a file. */
function operandWords(name: string, scripts: readonly string[]): readonly string[] | undefined {
  if (!name.includes("|")) return undefined;
  return name.split("|").flatMap(word => (word === "SCRIPT" ? scripts : [word]));
}

/**
 * The completion for bash, 3.2 or newer; for `source`.
 *
 * @param commands Every script's table.
 */
export function bashCompletion(commands: readonly Command[]): string {
  const scripts = commands.map(({ name }) => name);
  const cases = commands.map(command => bashCase(command, scripts));
  return `# Completion for bash: source <(bun scripts/completion.ts bash)

# Sets what completes a script's command line: its options, the words its first operand may be, and of the option $2
# what its value is: file, words and which, none, or nothing if it takes no value. Fails if $1 is no script of ours.
_cowrie_longitudinal_table() {
  options= first= value=
  case $1 in
${cases.join("\n")}
    *) return 1 ;;
  esac
}

_cowrie_longitudinal() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local script=\${COMP_WORDS[0]} at=1 options first value i
  if [[ \${script##*/} == bun ]]; then
    [[ \${COMP_WORDS[1]} == run ]] && at=2
    script=\${COMP_WORDS[at]}
    at=$((at + 1))
  fi
  local name=\${script##*/}
  # "--mode=c" comes as three words.
  [[ $prev == = && COMP_CWORD -gt 1 ]] && prev=\${COMP_WORDS[COMP_CWORD-2]}
  [[ $cur == = ]] && cur=
  if [[ COMP_CWORD -lt at || $script != *.ts ]] || ! _cowrie_longitudinal_table "\${name%.ts}" "$prev"; then
    [[ -n $_cowrie_longitudinal_other ]] && "$_cowrie_longitudinal_other" "$@"
    return
  fi
  COMPREPLY=()
  for ((i = at; i < COMP_CWORD; i++)); do
    # After "--" everything is an operand.
    [[ \${COMP_WORDS[i]} == -- ]] && return
  done
  case $value in
    file) ;;
    words*) COMPREPLY=($(compgen -W "\${value#words}" -- "$cur")) ;;
    none) compopt +o default +o bashdefault 2>/dev/null ;;
    *)
      if [[ $cur == -* ]]; then
        # As in the help: "_" and "-" mean the same.
        COMPREPLY=($(compgen -W "$options" -- "\${cur//_/-}"))
      elif [[ -n $first && COMP_CWORD -eq at ]]; then
        COMPREPLY=($(compgen -W "$first" -- "$cur"))
      fi
      ;;
  esac
}

# What completed bun before, if anything did.
_cowrie_longitudinal_before=$(complete -p bun 2>/dev/null)
if [[ $_cowrie_longitudinal_before == *' -F '* ]]; then
  _cowrie_longitudinal_before=\${_cowrie_longitudinal_before#* -F }
  if [[ \${_cowrie_longitudinal_before%% *} != _cowrie_longitudinal ]]; then
    _cowrie_longitudinal_other=\${_cowrie_longitudinal_before%% *}
  fi
fi
unset _cowrie_longitudinal_before
complete -o bashdefault -o default -F _cowrie_longitudinal bun ${scripts.map(name => `${name}.ts`).join(" ")}
`;
}

/** What bash knows of one script. */
function bashCase({ name, options, operands = [] }: Command, scripts: readonly string[]): string {
  const listed = listOptions(options);
  const values = listed.flatMap(({ names, spec }) => {
    if (spec.type === "boolean") return [];
    const value = spec.type === "path" ? "file" : spec.type === "choice" ? `words ${spec.choices.join(" ")}` : "none";
    return [`        ${names.join("|")}) value=${quoteWord(value)} ;;`];
  });
  const words = operandWords(operands[0]?.name ?? "", scripts);
  return [
    `    ${name})`,
    `      options=${quoteWord(listed.flatMap(({ names }) => names.filter(text => text.startsWith("--"))).join(" "))}`,
    ...(words === undefined ? [] : [`      first=${quoteWord(words.join(" "))}`]),
    ...(values.length === 0 ? [] : ["      case $2 in", ...values, "      esac"]),
    "      ;;",
  ].join("\n");
}

/**
 * The completion for zsh; for `source`.
 *
 * @param commands Every script's table.
 */
export function zshCompletion(commands: readonly Command[]): string {
  const scripts = commands.map(({ name }) => name);
  const cases = commands.map(({ name, options, operands = [] }) => {
    const specs = listOptions(options).flatMap(({ names, spec }) => names.map(text => zshOption(text, names, spec)));
    for (const [i, { name: operand, repeatable }] of operands.entries()) {
      const words = operandWords(operand, scripts);
      specs.push(`${repeatable ? "*" : i + 1}:${operand}:${words === undefined ? "_files" : `(${words.join(" ")})`}`);
    }
    return `    ${name})\n      _arguments ${specs.map(quoteWord).join(" \\\n        ")}\n      ;;`;
  });
  return `# Completion for zsh: source <(bun scripts/completion.ts zsh)

_cowrie_longitudinal() {
  local script=\${words[1]} at=1
  if [[ \${script:t} == bun ]]; then
    at=2
    [[ \${words[2]} == run ]] && at=3
    script=\${words[at]}
  fi
  if (( CURRENT <= at )) || [[ $script != *.ts || " ${scripts.join(" ")} " != *" \${script:t:r} "* ]]; then
    if [[ -n $_cowrie_longitudinal_other ]]; then $_cowrie_longitudinal_other "$@"; else _default; fi
    return
  fi
  words=("\${(@)words[at,-1]}")
  (( CURRENT -= at - 1 ))
  case \${script:t:r} in
${cases.join("\n")}
  esac
}

(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
# What completed bun before, if anything did.
typeset -g _cowrie_longitudinal_other
[[ -n \${_comps[bun]} && \${_comps[bun]} != _cowrie_longitudinal ]] && _cowrie_longitudinal_other=\${_comps[bun]}
compdef _cowrie_longitudinal bun ${scripts.map(name => `${name}.ts`).join(" ")}
`;
}

/** One name of an option, for _arguments. */
function zshOption(text: string, names: readonly string[], spec: OptionSpec): string {
  const others = spec.repeatable ? "*" : names.length > 1 ? `(${names.join(" ")})` : "";
  const help = spec.help.replace(/[\\[\]:]/g, "\\$&");
  // The value may follow as a word of its own, or after "="; glued to the letter with short names.
  const head = `${others}${text}${spec.type === "boolean" ? "" : text.startsWith("--") ? "=" : "+"}[${help}]`;
  if (spec.type === "boolean") return head;
  const action = spec.type === "path" ? "_files" : spec.type === "choice" ? `(${spec.choices.join(" ")})` : " ";
  return `${head}:${(spec.placeholder ?? spec.type).replaceAll(":", "\\:")}:${action}`;
}
