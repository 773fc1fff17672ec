/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "binpack/cli/completion.h"

#include "binpack/cli/options.h"
#include "binpack/cli/topics.h"

static const char *const catalog_words[] = {"list", "show", "verify", "refresh", NULL};
static const char *const nodeclass_words[] = {"show", "userdata", NULL};
static const char *const shell_words[] = {"bash", "zsh", "fish", NULL};

const char *const *completion_words(enum cli_command command)
{
    return command == CLI_CATALOG      ? catalog_words
           : command == CLI_NODECLASS  ? nodeclass_words
           : command == CLI_COMPLETION ? shell_words
                                       : NULL;
}

static void put(struct strbuf *b, const char *text)
{
    strbuf_add(b, str_of(text));
}

static void put_words(struct strbuf *b, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        strbuf_addf(b, "%s%s", i == 0 ? "" : " ", words[i]);
    }
}

static void put_command_words(struct strbuf *b)
{
    for (size_t i = 0; i < CLI_N_COMMANDS; i++) {
        strbuf_addf(b, "%s%s", i == 0 ? "" : " ", command_rows[i].name);
    }
}

static void put_topic_words(struct strbuf *b)
{
    for (size_t i = 0; i < n_help_topics; i++) {
        strbuf_addf(b, "%s ", help_topics[i].name);
    }
    put_command_words(b);
}

/* ---- bash ---- */

static void put_bash_values(struct strbuf *b)
{
    for (size_t i = 0; i < n_option_rows; i++) {
        const struct option_row *row = &option_rows[i];
        if (row->value == NULL || (row->choices == NULL && row->hint == HINT_NONE)) {
            continue;
        }
        const char *kind = option_hint_kinds[row->hint];
        strbuf_addf(b, "        --%s", row->name);
        if (row->letter != 0) {
            strbuf_addf(b, "|-%c", row->letter);
        }
        if (row->hint == HINT_FILE) {
            put(b, ") COMPREPLY=($(compgen -f -- \"$cur\")); compopt -o filenames 2>/dev/null; "
                   "return ;;\n");
            continue;
        }
        if (kind != NULL) {
            strbuf_addf(b, ") _binpack_words %s; return ;;\n", kind);
            continue;
        }
        put(b, ") COMPREPLY=($(compgen -W '");
        put_words(b, row->choices);
        put(b, "' -- \"$cur\")); return ;;\n");
    }
}

/* Options whose next word is their value: it is no command. */
static void put_value_options(struct strbuf *b, const char *separator)
{
    bool first = true;
    for (size_t i = 0; i < n_option_rows; i++) {
        if (option_rows[i].value == NULL) {
            continue;
        }
        strbuf_addf(b, "%s--%s", first ? "" : separator, option_rows[i].name);
        if (option_rows[i].letter != 0) {
            strbuf_addf(b, "%s-%c", separator, option_rows[i].letter);
        }
        first = false;
    }
}

/* Words that the program finds in the files of the line: bash breaks words at "=". */
static const char bash_words[] =
    "_binpack_words()\n{\n"
    "    local i value word files=() program=${COMP_WORDS[0]/#\\~\\//$HOME/}\n"
    "    for ((i = 1; i < ${#COMP_WORDS[@]}; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        value=${COMP_WORDS[i+1]}\n"
    "        [[ $value == '=' ]] && value=${COMP_WORDS[i+2]}\n"
    "        case $word in\n"
    "        -f|--filename|--catalog) files+=(\"$word\" \"${value/#\\~\\//$HOME/}\") ;;\n"
    "        -f?*) files+=(-f \"${word:2}\") ;;\n"
    "        esac\n"
    "    done\n"
    "    while IFS= read -r word; do\n"
    "        COMPREPLY+=(\"$word\")\n"
    "    done < <(\"$program\" completion \"$1\" \"$cur\" \"${files[@]}\" 2>/dev/null </dev/null)\n"
    "    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:/] ]] && compopt -o nospace "
    "2>/dev/null\n"
    "}\n";

static void bash(struct strbuf *b)
{
    put(b, "# bash completion of binpack; source <(binpack completion bash)\n");
    put(b, bash_words);
    put(b,
        "_binpack()\n{\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= word\n"
        "    COMPREPLY=()\n"
        "    if [[ $prev == '=' ]]; then\n"
        "        prev=${COMP_WORDS[COMP_CWORD-2]}\n"
        "    elif [[ $cur == '=' ]]; then\n"
        "        cur=\n"
        "    fi\n"
        "    local value=\n"
        "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "        if [[ $value == next || $word == '=' ]]; then\n"
        "            value=${value:+last}\n"
        "            [[ $word == '=' ]] && value=next\n"
        "            continue\n"
        "        fi\n"
        "        value=\n"
        "        case $word in\n"
        "        --simulate) command=simulate; break ;;\n"
        "        ");
    put_value_options(b, "|");
    put(b, ") value=next ;;\n"
           "        -*) ;;\n"
           "        *) command=$word; break ;;\n"
           "        esac\n"
           "    done\n"
           "    case $prev in\n");
    put_bash_values(b);
    put(b, "    esac\n"
           "    if [[ $cur == -* ]]; then\n"
           "        case $command in\n");
    for (int command = 0; command < CLI_N_COMMANDS; command++) {
        strbuf_addf(b, "        %s) COMPREPLY=($(compgen -W '",
                    command == CLI_SIMULATE ? "simulate|''" : command_rows[command].name);
        for (size_t i = 0; i < n_option_rows; i++) {
            if ((option_rows[i].commands & 1U << command) != 0) {
                strbuf_addf(b, "--%s ", option_rows[i].name);
            }
        }
        put(b, "' -- \"$cur\")) ;;\n");
    }
    put(b, "        esac\n        return\n    fi\n    case $command in\n    '') "
           "COMPREPLY=($(compgen -W '");
    put_command_words(b);
    put(b, "' -- \"$cur\")) ;;\n    catalog) COMPREPLY=($(compgen -W '");
    put_words(b, catalog_words);
    put(b, "' -- \"$cur\")) ;;\n    nodeclass) COMPREPLY=($(compgen -W '");
    put_words(b, nodeclass_words);
    put(b, "' -- \"$cur\")) ;;\n    completion) COMPREPLY=($(compgen -W '");
    put_words(b, shell_words);
    put(b, "' -- \"$cur\")) ;;\n    help) COMPREPLY=($(compgen -W '");
    put_topic_words(b);
    put(b, "' -- \"$cur\")) ;;\n"
           "    explain) _binpack_words subjects ;;\n"
           "    *) COMPREPLY=($(compgen -f -- \"$cur\")); compopt -o filenames 2>/dev/null ;;\n"
           "    esac\n}\n"
           "complete -F _binpack binpack kubectl-binpack\n");
}

/* ---- zsh ---- */

/* Text inside single quotes and brackets of an _arguments specification. */
static void zsh_text(struct strbuf *b, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            put(b, "'\\''");
            continue;
        }
        if (*text == '[' || *text == ']' || *text == ':' || *text == '\\') {
            strbuf_addc(b, '\\');
        }
        strbuf_addc(b, *text);
    }
}

static void zsh_spec(struct strbuf *b, const struct option_row *row, const char *name, bool is_long)
{
    strbuf_addf(b, "            '*%s%s%s[", is_long ? "--" : "-", name,
                row->value == NULL ? ""
                : is_long          ? "="
                                   : "+");
    zsh_text(b, row->help);
    put(b, "]");
    if (row->value != NULL) {
        put(b, ":");
        zsh_text(b, row->value);
        if (row->hint == HINT_FILE) {
            put(b, ":_files");
        } else if (option_hint_kinds[row->hint] != NULL) {
            strbuf_addf(b, ":{_binpack_words %s}", option_hint_kinds[row->hint]);
        } else if (row->choices != NULL) {
            put(b, ":(");
            put_words(b, row->choices);
            put(b, ")");
        } else {
            put(b, ": ");
        }
    }
    put(b, "' \\\n");
}

static const char zsh_words[] =
    "_binpack_words() {\n"
    "    local -a files found\n"
    "    local i program=${(Q)words[1]/#\\~\\//$HOME/}\n"
    "    for ((i = 2; i <= $#words; i++)); do\n"
    "        case $words[i] in\n"
    "        -f|--filename|--catalog) files+=($words[i] \"${(Q)words[i+1]/#\\~\\//$HOME/}\") ;;\n"
    "        --filename=*|--catalog=*) files+=(\"${(Q)words[i]}\") ;;\n"
    "        -f?*) files+=(-f \"${(Q)words[i][3,-1]}\") ;;\n"
    "        esac\n"
    "    done\n"
    "    found=(${(f)\"$($program completion $1 ${(Q)PREFIX} $files 2>/dev/null </dev/null)\"})\n"
    "    if [[ $#found == 1 && $found[1] == *[=:/] ]]; then\n"
    "        compadd -S '' -- $found\n"
    "    else\n"
    "        compadd -- $found\n"
    "    fi\n"
    "}\n";

static void zsh(struct strbuf *b)
{
    put(b, "#compdef binpack kubectl-binpack\n"
           "# zsh completion of binpack; binpack completion zsh > \"${fpath[1]}/_binpack\"\n"
           "_binpack() {\n"
           "    local command word\n"
           "    local value=\n"
           "    for word in ${words[2,CURRENT-1]}; do\n"
           "        if [[ -n $value ]]; then value=; continue; fi\n"
           "        case $word in\n"
           "        --simulate) command=simulate; break ;;\n"
           "        ");
    put_value_options(b, "|");
    put(b, ") value=next ;;\n"
           "        -*) ;;\n"
           "        *) command=$word; break ;;\n"
           "        esac\n"
           "    done\n"
           "    case $command in\n");
    for (int command = 0; command < CLI_N_COMMANDS; command++) {
        strbuf_addf(b, "    %s)\n        _arguments -S \\\n",
                    command == CLI_SIMULATE ? "simulate|''" : command_rows[command].name);
        for (size_t i = 0; i < n_option_rows; i++) {
            const struct option_row *row = &option_rows[i];
            char letter[2] = {row->letter, '\0'};
            if ((row->commands & 1U << command) == 0) {
                continue;
            }
            zsh_spec(b, row, row->name, /* is_long= */ true);
            if (row->letter != 0) {
                zsh_spec(b, row, letter, /* is_long= */ false);
            }
        }
        put(b, "            '1: :_binpack_first'");
        put(b, command == CLI_CATALOG      ? " '*: :(list show verify refresh)'\n"
               : command == CLI_NODECLASS  ? " '*: :(show userdata)'\n"
               : command == CLI_COMPLETION ? " '*: :(bash zsh fish)'\n"
               : command == CLI_HELP       ? " '*: :_binpack_topics'\n"
               : command == CLI_VERSION    ? "\n"
               : command == CLI_EXPLAIN    ? " '*: :{_binpack_words subjects}'\n"
                                           : " '*: :_files'\n");
        put(b, "        ;;\n");
    }
    put(b, "    esac\n}\n");
    put(b, zsh_words);
    put(b, "_binpack_first() {\n    compadd -- ");
    put_command_words(b);
    put(b, "\n}\n_binpack_topics() {\n    compadd -- ");
    put_topic_words(b);
    put(b, "\n}\n_binpack \"$@\"\n");
}

/* ---- fish ---- */

static void fish_text(struct strbuf *b, const char *text)
{
    strbuf_addc(b, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\') {
            strbuf_addc(b, '\\');
        }
        strbuf_addc(b, *text);
    }
    strbuf_addc(b, '\'');
}

static const char fish_words[] =
    "function __binpack_words\n"
    "    set -l words (commandline -op)\n"
    "    set -l program (string replace -r '^~/' \"$HOME/\" -- $words[1])\n"
    "    set -l current (string replace -r '^--[^=]*=' '' -- (commandline -ct))\n"
    "    set -l files\n"
    "    for i in (seq 2 (count $words))\n"
    "        set -l next (math $i + 1)\n"
    "        switch $words[$i]\n"
    "            case -f --filename --catalog\n"
    "                test $next -le (count $words)\n"
    "                and set -a files $words[$i] (string replace -r '^~/' \"$HOME/\" -- "
    "$words[$next])\n"
    "            case '--filename=*' '--catalog=*'\n"
    "                set -a files $words[$i]\n"
    "            case '-f?*'\n"
    "                set -a files -f (string sub -s 3 -- $words[$i])\n"
    "        end\n"
    "    end\n"
    "    $program completion $argv[1] \"$current\" $files 2>/dev/null </dev/null\n"
    "end\n";

static void fish(struct strbuf *b)
{
    put(b, "# fish completion of binpack; binpack completion fish | source\n");
    put(b, fish_words);
    put(b, "function __binpack_no_command\n"
           "    set -l words (commandline -opc)\n"
           "    set -l value\n"
           "    for word in $words[2..]\n"
           "        if test -n \"$value\"\n"
           "            set value\n"
           "            continue\n"
           "        end\n"
           "        switch $word\n"
           "            case --simulate\n"
           "                return 1\n"
           "            case ");
    put_value_options(b, " ");
    put(b, "\n                set value next\n"
           "            case '-*'\n"
           "            case '*'\n"
           "                return 1\n"
           "        end\n"
           "    end\n"
           "end\n");
    put(b, "complete -c kubectl-binpack -w binpack\n"
           "complete -c binpack -n '__fish_seen_subcommand_from explain' -f -a "
           "'(__binpack_words subjects)'\n"
           "complete -c binpack -n '__fish_seen_subcommand_from completion help catalog nodeclass "
           "version' "
           "-f\n");
    for (size_t i = 0; i < CLI_N_COMMANDS; i++) {
        strbuf_addf(b, "complete -c binpack -n __binpack_no_command -a %s -d ",
                    command_rows[i].name);
        fish_text(b, command_rows[i].help);
        strbuf_addc(b, '\n');
    }
    put(b, "complete -c binpack -n '__fish_seen_subcommand_from catalog' -a '");
    put_words(b, catalog_words);
    put(b, "'\ncomplete -c binpack -n '__fish_seen_subcommand_from nodeclass' -a '");
    put_words(b, nodeclass_words);
    put(b, "'\ncomplete -c binpack -n '__fish_seen_subcommand_from completion' -a '");
    put_words(b, shell_words);
    put(b, "'\ncomplete -c binpack -n '__fish_seen_subcommand_from help' -a '");
    put_topic_words(b);
    put(b, "'\n");
    for (size_t i = 0; i < n_option_rows; i++) {
        const struct option_row *row = &option_rows[i];
        strbuf_addf(b, "complete -c binpack -l %s", row->name);
        if (row->letter != 0) {
            strbuf_addf(b, " -s %c", row->letter);
        }
        if (row->value != NULL) {
            put(b, row->hint == HINT_FILE ? " -r -F" : " -x");
        }
        if (row->choices != NULL) {
            put(b, " -a '");
            put_words(b, row->choices);
            put(b, "'");
        } else if (option_hint_kinds[row->hint] != NULL) {
            strbuf_addf(b, " -a '(__binpack_words %s)'", option_hint_kinds[row->hint]);
        }
        put(b, " -d ");
        fish_text(b, row->help);
        strbuf_addc(b, '\n');
    }
}

bool completion_script(struct str shell, struct strbuf *b, struct err *err)
{
    static const struct {
        const char *name;
        void (*write)(struct strbuf *b);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (str_eq(shell, str_of(shells[i].name))) {
            shells[i].write(b);
            return true;
        }
    }
    if (shell.n == 0) {
        return err_set(err, ERR_INVALID, "completion: say for which shell: bash, zsh or fish");
    }
    return err_set(err, ERR_INVALID, "no completion for \"" STR_FMT "\": bash, zsh or fish",
                   STR_ARG(shell));
}
