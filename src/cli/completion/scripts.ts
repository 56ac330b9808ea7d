// What makes a shell complete the command `tenement`: a few lines for each that pass on the words typed so far and take the
// candidates. Which these are is complete.ts's business, so that the three never differ and need no renewal.

/**
 * COMP_WORDS is split at colons too, and `api:carol` is one word: the line is split at blanks instead, and what stands
 * before the last colon of the word is taken from the candidates again, since readline puts it there itself.
 */
const bash = `# Completion of tenement for bash. Put into ~/.bashrc: source <(tenement completion bash)
_tenement() {
  local line=\${COMP_LINE:0:COMP_POINT} current=''
  local -a words
  read -ra words <<< "$line"
  if [[ $line != *[[:blank:]] ]]; then current=\${words[-1]}; unset 'words[-1]'; fi
  mapfile -t COMPREPLY < <(tenement completion bash -- "\${words[@]:1}" "$current" 2> /dev/null)
  if [[ \${COMPREPLY[0]-} == :files ]]; then
    compopt -o filenames 2> /dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "\${current#--*=}")
    return
  fi
  if [[ $current == *[:=]* ]]; then
    local head=\${current%"\${current##*[:=]}"}
    COMPREPLY=("\${COMPREPLY[@]#"$head"}")
  fi
}
complete -F _tenement tenement
`

const zsh = `#compdef tenement
# Completion of tenement for zsh. Put into ~/.zshrc, behind compinit: source <(tenement completion zsh)
_tenement() {
  local -a lines described
  local line
  lines=("\${(@f)$(tenement completion zsh -- "\${(@)words[2,CURRENT-1]}" "\${PREFIX}" 2> /dev/null)}")
  if [[ \${lines[1]} == :files ]]; then _files; return; fi
  for line in $lines; do
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  (( \${#described} )) && _describe tenement described
}
if [[ \${funcstack[1]} == _tenement ]]; then _tenement "$@"; else compdef _tenement tenement; fi
`

const fish = `# Completion of tenement for fish. Put into ~/.config/fish/completions/tenement.fish: tenement completion fish
function __tenement_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (tenement completion fish -- $words[2..-1] "$current" 2> /dev/null)
    if test "$lines[1]" = :files
        __fish_complete_path "$current"
    else
        string join -- \\n $lines
    end
end
complete -c tenement -f -a '(__tenement_complete)'
`

export const scripts = { bash, zsh, fish } as const

export type Shell = keyof typeof scripts

export const shells: readonly Shell[] = ['bash', 'zsh', 'fish']
