/**
 * What a shell is told, by its name. Each hands the line up to the caret to `fleet complete` and offers what comes back: a
 * candidate a line, with what it is behind a tab.
 */
export const SCRIPTS: Record<string, string> = {
  // Bash takes `:`, `=`, `<` and `>` for ends of words: what it has already of a candidate is taken off its front.
  bash: `_fleet() {
  local IFS=$'\\n' line word front each
  line="\${COMP_LINE:0:$COMP_POINT}"
  word="\${line##*[[:space:]]}"
  front="\${word%"\${word##*[:=<>]}"}"
  COMPREPLY=()
  for each in $("\${COMP_WORDS[0]}" complete -- "$line" 2>/dev/null); do
    each="\${each%%$'\\t'*}"
    each="$(printf '%q' "\${each#"$front"}")"
    COMPREPLY+=("$each")
  done
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[:.] ]] && compopt -o nospace
}
complete -o default -F _fleet fleet
`,
  // Behind a name or a field the word goes on: no space there.
  zsh: `#compdef fleet
_fleet() {
  local -a whole begun
  local text what
  while IFS=$'\\t' read -r text what; do
    if [[ $text == *[:.] ]]; then begun+=("$text"); else whole+=("$text"); fi
  done < <("\${words[1]}" complete -- "\${LBUFFER}" 2>/dev/null)
  (( $#whole + $#begun )) || { _files; return }
  compadd -a whole
  compadd -S '' -a begun
}
compdef _fleet fleet
`,
  fish: `complete -c fleet -e
complete -c fleet -f -a '(fleet complete -- (commandline -cp) 2>/dev/null)'
`,
};
